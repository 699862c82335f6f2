import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Failure } from "../../runner/executor.ts";
import { type RunOptions, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

describe("a script that fails", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox();
  });

  afterAll(async () => {
    await sandbox.stop();
  });

  const failureOf = async (code: string, options?: RunOptions): Promise<Failure> => {
    const { ending } = await sandbox.run(code, options);
    if (ending.kind !== "failed") throw new Error(`it ${ending.kind}`);
    return ending.error;
  };

  it("tells the message and the author's own line and column, and no frame of ours", async () => {
    const code = `const helper = () => {
  throw new TypeError("no good");
};
export default async function main() {
  await 0;
  helper();
}`;
    expect(await failureOf(code)).toEqual({
      code: "script.threw",
      message: "TypeError: no good",
      stack: "TypeError: no good\n    at helper (script.ts:2:9)\n    at main (script.ts:6:3)",
      retryable: true,
    });
  });

  it("tells the causes, with their places, also of a circle", async () => {
    const code = `export default () => {
  try {
    JSON.parse("{");
  } catch (cause) {
    throw new Error("no settings", { cause });
  }
}`;
    const { message, stack } = await failureOf(code);
    expect(message).toBe("no settings");
    expect(stack).toMatch(
      /^Error: no settings\n {4}at default \(script.ts:5:11\)\nCaused by: SyntaxError: .*\n {4}at JSON.parse \(<anonymous>\)\n {4}at default \(script.ts:3:10\)$/,
    );
    const circle = await failureOf(
      "export default () => { const e = new Error('round'); e.cause = e; throw e }",
    );
    expect(circle.stack.split("Caused by: ")).toHaveLength(6);
    const text = await failureOf(
      "export default () => { throw new Error('x', { cause: 'rain' }) }",
    );
    expect(text.stack.endsWith("\nCaused by: rain")).toBe(true);
  });

  it("has no frames of ours, wherever it comes from", async () => {
    const bodies = [
      "new URL('nonsense')",
      "[1].map(() => structuredClone(() => {}))",
      "atob('*')",
      "setTimeout(1)",
      "await ctx.sleep(1); ctx.progress(NaN)",
      "await crypto.subtle.digest('MD5', new Uint8Array(1))",
      "new Headers({ 'a b': '1' })",
      "AbortSignal.abort().throwIfAborted()",
    ];
    for (const body of bodies) {
      const { stack } = await failureOf(`export default async (_, ctx) => {\n${body} }`);
      const frames = stack.split("\n").filter((line) => line.startsWith("    at "));
      expect([body, frames.length > 0]).toEqual([body, true]);
      for (const frame of frames)
        expect([body, frame]).toEqual([body, expect.stringMatching(/script\.ts:2:|Array\.map/)]);
    }
  });

  it("names the file after its language", async () => {
    const { stack } = await failureOf("export default () => x", { fileName: "script.js" });
    expect(stack).toBe("ReferenceError: x is not defined\n    at default (script.js:1:22)");
  });

  it("is not tried again when the error says so", async () => {
    const code =
      "export default () => { throw Object.assign(new Error('no'), { retryable: false }) }";
    expect(await failureOf(code)).toMatchObject({ code: "script.threw", retryable: false });
  });

  it("tells where the syntax is wrong", async () => {
    expect(await failureOf("export default () => {\n  const a = ;\n}")).toEqual({
      code: "script.syntax",
      message: "SyntaxError: Unexpected token ';'",
      stack: "    at script.ts:2:13",
      retryable: false,
    });
  });

  it.each(["}", "export default () => { }}", "x = 1; export default function ("])(
    "does not break out of its module: %s",
    async (code) => {
      expect(await failureOf(code)).toMatchObject({ code: "script.syntax", retryable: false });
    },
  );

  it.each(["export const main = () => 1", "export default 5", ""])(
    "needs a function as its default export: %s",
    async (code) => {
      expect(await failureOf(code)).toMatchObject({ code: "script.no_default", retryable: false });
    },
  );

  it.each([
    ["a circle", "const a = {}; a.a = a; return a"],
    ["a function", "return () => {}"],
    ["a BigInt", "return 1n"],
    ["a getter that throws", "return { get a() { throw new Error('x') } }"],
  ])("cannot return %s", async (_, body) => {
    expect(await failureOf(`export default () => { ${body} }`)).toMatchObject({
      code: "result.not_serialisable",
      retryable: false,
    });
  });

  it.each([
    [
      "in a timer",
      "setTimeout(() => { throw new Error('gone') }, 1); return new Promise(() => {})",
    ],
    [
      "in a rejection nobody handles",
      "Promise.reject(new Error('gone')); return new Promise(() => {})",
    ],
    [
      "in a microtask",
      "queueMicrotask(() => { throw new Error('gone') }); return new Promise(() => {})",
    ],
  ])("fails at once for an error %s", async (_, body) => {
    expect(await failureOf(`export default () => { ${body} }`)).toMatchObject({
      code: "script.threw",
      message: "gone",
      stack: expect.stringContaining("script.ts:1:") as string,
    });
  });

  it("fails for an error at the top level, also a late one", async () => {
    expect(await failureOf("throw new Error('top')")).toMatchObject({
      message: "top",
      stack: "Error: top\n    at script.ts:1:7",
    });
    const late = "await new Promise((r) => setTimeout(r, 5)); throw new Error('late')";
    expect(await failureOf(late)).toMatchObject({ code: "script.threw", message: "late" });
  });

  it.each([
    ["a string", "throw 'text'", "text"],
    ["nothing", "throw undefined", "undefined"],
    ["a symbol", "throw Symbol('s')", "Symbol(s)"],
    ["what cannot be shown", "throw Object.create(null)", "(cannot be shown)"],
    ["a getter that throws", "throw { get message() { throw 1 } }", "[object Object]"],
  ])("may throw %s", async (_, body, message) => {
    const failure = await failureOf(`export default () => { ${body} }`);
    expect(failure).toMatchObject({ code: "script.threw", message });
  });

  it("gets no more than 8 KiB of message and stack through", async () => {
    const failure = await failureOf("export default () => { throw new Error('x'.repeat(1e7)) }");
    expect(failure.message.length).toBe(8_192);
    expect(failure.stack.length).toBeLessThanOrEqual(8_192);
  });

  it("never shows a path of this machine", async () => {
    const code = `export default async () => {
      Error.stackTraceLimit = 100;
      const frames = [];
      Error.prepareStackTrace = (error, sites) => {
        for (const site of sites) frames.push([typeof site.getThis(), typeof site.getFunction()]);
        return sites.map(String).join("\\n");
      };
      const text = new Error("x").stack;
      throw new Error(text + JSON.stringify(frames));
    }`;
    const failure = await failureOf(code);
    const told = `${failure.message}${failure.stack}`;
    expect(told).not.toContain(import.meta.dirname.slice(0, 6));
    expect(told).not.toContain("file://");
    expect(told).not.toContain('"object"');
  });
});
