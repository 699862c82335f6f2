import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AttemptStopped, type Failure } from "../../runner/executor.ts";
import { LIBRARIES } from "../../runner/libraries/list.ts";
import { MODULE_CALL, MODULE_LIMITS } from "../../runner/module-wire.ts";
import {
  resultOf,
  type RunOptions,
  type Sandbox,
  startSandbox,
} from "../support/runner-sandbox.ts";

describe("import", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterAll(async () => {
    await sandbox.stop();
  });

  const run = async (code: string, options: RunOptions): Promise<unknown> =>
    resultOf(await sandbox.run(code, options));
  const failureOf = async (code: string, options?: RunOptions): Promise<Failure> => {
    const { ending } = await sandbox.run(code, options);
    if (ending.kind !== "failed") throw new Error(`it ${ending.kind}`);
    return ending.error;
  };

  it("gives a script the exports of another, and of what that one imports", async () => {
    const scripts = {
      "tax@1":
        'import { round } from "script:math.v2"; export const gross = (net) => round(net * 1.19);',
      "math.v2@1": "export const round = (n) => Math.round(n * 100) / 100;",
    };
    const code = `import { gross } from "script:tax"; import * as math from "script:math.v2";
      export { round } from "script:math.v2";
      export default (net) => [gross(net), Object.keys(math)];`;
    expect(await run(code, { scripts, input: 9.99 })).toEqual([11.89, ["round"]]);
  });

  it("takes the newest version, or the one that is named, and one text is one module", async () => {
    const scripts = { "a@1": "export default {v: 1}", "a@2": "export default {v: 2}" };
    const code = `import newest from "script:a"; import first from "script:a@1"; import second from "script:a@2";
      export default () => [newest.v, first.v, newest === second];`;
    expect(await run(code, { scripts })).toEqual([2, 1, true]);
  });

  it("waits for a top-level await, and evaluates in the order of ES modules", async () => {
    const scripts = {
      "a@1": 'await new Promise((r) => setTimeout(r, 5)); self.seen = ["a"]; export const a = 1;',
      "b@1": 'import "script:a"; seen.push("b");',
    };
    const code =
      'import "script:b"; import { a } from "script:a"; seen.push("main"); export default () => seen';
    expect(await run(code, { scripts })).toEqual(["a", "b", "main"]);
  });

  it("goes round in circles, also through the script that runs", async () => {
    const scripts = {
      "a@1": "never asked for: a job keeps its own version",
      "b@1":
        'import main, { base } from "script:a"; export { b as self } from "script:b"; export const b = (n) => n === 0 ? base : main(n - 1);',
    };
    const code = `import * as own from "script:a@3"; import { b, self } from "script:b";
      export const base = "base";
      export default function main(n) { return b === self && own.default === main ? b(n) : "another"; }`;
    expect(await run(code, { scripts, type: "a@3", input: 4 })).toBe("base");
  });

  it("keeps nothing from one attempt to the next", async () => {
    const scripts = { "counter@1": "let n = 0; export const next = () => ++n;" };
    const code = 'import { next } from "script:counter"; export default () => next()';
    expect(await run(code, { scripts })).toBe(1);
    expect(await run(code, { scripts })).toBe(1);
  });

  it("names the imported script in the stack of an error", async () => {
    const scripts = {
      "lib@4":
        "const deep = () => {\n  throw new RangeError('no');\n};\nexport const call = () => deep();",
    };
    const code = 'import { call } from "script:lib";\nexport default function main() { call(); }';
    const at =
      "    at deep (script:lib@4:2:9)\n    at call (script:lib@4:4:27)\n    at main (script.ts:2:34)";
    expect((await failureOf(code, { scripts })).stack).toBe(`RangeError: no\n${at}`);
    const top = { "lib@4": "\nnull.x" };
    expect(
      (await failureOf('import "script:lib"; export default 1', { scripts: top })).stack,
    ).toContain("\n    at script:lib@4:2:6");
  });

  it("names the imported script whose syntax is wrong, and a name that it does not export", async () => {
    const scripts = { "lib@1": "\nexport const a = ;", "ok@1": "export const a = 1" };
    expect(await failureOf('import "script:lib"; export default 1', { scripts })).toEqual({
      code: "script.syntax",
      message: "SyntaxError: Unexpected token ';' in script:lib@1",
      stack: "    at script:lib@1:2:18",
      retryable: false,
    });
    expect(
      await failureOf('import { b } from "script:ok"; export default b', { scripts }),
    ).toMatchObject({
      code: "script.syntax",
      message: expect.stringContaining(
        "'script:ok' does not provide an export named 'b'",
      ) as string,
    });
  });

  it("tells which script is not there, and who wanted it", async () => {
    const scripts = { "lib@1": 'import "script:gone@2"' };
    expect(await failureOf('import "script:lib"; export default 1', { scripts })).toEqual({
      code: "module.not_found",
      message:
        '"script:gone@2" is not found: no job type of this organization with that name and version is a script (imported by script:lib@1)',
      stack: "",
      retryable: false,
    });
    expect(await failureOf('import "script:nothing"')).toMatchObject({ code: "module.not_found" });
  });

  it.each([
    'import fs from "node:fs"; export default () => fs',
    'import fs from "fs"; export default () => fs',
    'import x from "./other.ts"; export default () => x',
    'import x from "/etc/passwd" with { type: "json" }; export default () => x',
    'import x from "https://example.com/x.js"; export default () => x',
    'import x from "data:text/javascript,1"; export default () => x',
    'import x from "zod/mini"; export default () => x',
    'import x from "undici"; export default () => x',
    'import x from "script:"; export default () => x',
    'import x from "script:../a"; export default () => x',
    'import x from "script:a@0"; export default () => x',
    'import x from "library:zod"; export default () => x',
    'import { start } from "millrace:start"; export default () => start',
    'export * from "millrace:script"; export default () => 1',
  ])("of anything else is refused, with a list of what may be imported: %s", async (code) => {
    const failure = await failureOf(code);
    expect(failure).toMatchObject({ code: "module.not_allowed", retryable: false });
    for (const name of ["script:<type name>@<version>", ...LIBRARIES.keys()]) {
      expect(failure.message).toContain(name);
    }
  });

  it.each(["node:fs", "data:text/javascript,1", "script:a", "zod"])(
    "as a function is refused: %s",
    async (specifier) => {
      const scripts = { "a@1": "export default 1" };
      expect(
        await failureOf(`export default async () => await import("${specifier}")`, { scripts }),
      ).toMatchObject({
        code: "module.not_allowed",
        message: "import() is not available: use import at the top of the script",
      });
    },
  );

  const many = (count: number): string =>
    Array.from({ length: count }, (_, n) => `import "script:m${n}";`).join("");

  it("of many modules stops at a limit", async () => {
    const most = MODULE_LIMITS.modules;
    const scripts = Object.fromEntries(
      Array.from({ length: most + 1 }, (_, n) => [`m${n}@1`, "1"]),
    );
    expect(await run(`${many(most)} export default () => 1`, { scripts })).toBe(1);
    const tooMany = {
      code: "quota.modules",
      message: `an attempt imports at most ${most} modules`,
      retryable: false,
    };
    expect(await failureOf(many(most + 1), { scripts })).toMatchObject(tooMany);
    expect(await failureOf(many(5_000), { scripts })).toMatchObject(tooMany);
    const chain = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [`m${n}@1`, `import "script:m${n + 1}"`]),
    );
    expect(await failureOf(many(1), { scripts: chain })).toMatchObject(tooMany);
  });

  it("of much text stops at a limit", async () => {
    const text = `/*${"x".repeat(256 * 1024 - 4)}*/`;
    const scripts = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`m${n}@1`, text]));
    expect(await run(`${many(16)} export default () => 1`, { scripts })).toBe(1);
    expect(await failureOf(many(17), { scripts })).toMatchObject({
      code: "quota.modules",
      message: `imported scripts have more than ${4 * 1024 * 1024} bytes`,
    });
  });

  it("that takes too long ends with the attempt's time, and with its cancellation", async () => {
    const asked = Promise.withResolvers<void>();
    const calls = new Map([
      [
        MODULE_CALL,
        async () => {
          asked.resolve();
          return await new Promise(() => {});
        },
      ],
    ]);
    const code = 'import "script:slow"; export default () => 1';
    expect(await failureOf(code, { calls, timeoutMs: 150 })).toMatchObject({
      code: "timeout.wall",
    });
    const stopping = new AbortController();
    const running = sandbox.run(code, { calls, signal: stopping.signal });
    await asked.promise;
    stopping.abort(new AttemptStopped("cancelled"));
    expect((await running).ending.kind).toBe("cancelled");
  });

  it("whose text cannot be had is tried again", async () => {
    const calls = new Map([[MODULE_CALL, async () => await Promise.reject(new Error("/secret"))]]);
    expect(await failureOf('import "script:a"; export default 1', { calls })).toMatchObject({
      code: "runner.crashed",
      message: "module did not work",
      retryable: true,
    });
  });
});
