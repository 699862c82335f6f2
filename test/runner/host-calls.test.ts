import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { silentReport } from "../../runner/executor.ts";
import { stepCalls } from "../../runner/executors/step-calls.ts";
import { CALL_LIMITS } from "../../runner/sandbox/calls.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { codeOf, resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

/** What a script asks of the runner: what it may not is refused in the script, and its process lives. */
describe("a script that asks too much of the runner", () => {
  let sandbox: Sandbox;
  const warned: string[] = [];
  const calls = stepCalls(silentReport.steps);

  beforeAll(async () => {
    const log = {
      ...silentLog,
      warn: (facts: object) => warned.push(JSON.stringify(facts)),
      error: (facts: object) => warned.push(JSON.stringify(facts)),
    };
    sandbox = await startSandbox({ log, limits: { cpuMs: 5_000 } });
  });

  afterAll(async () => {
    await sandbox.stop();
    expect(warned).toEqual([]);
  });

  it("in one call, is refused that call", async () => {
    const code = `export default async () => {
      const refused = async (ask) => await ask().catch((error) => error.code + ": " + error.message);
      return [
        await refused(() => fetch("https://example.com/", { method: "A".repeat(2e6) })),
        await refused(() => fetch("https://example.com/", { headers: { x: '"'.repeat(1e6) } })),
      ];
    }`;
    expect(resultOf(await sandbox.run(code, { calls }))).toEqual([
      expect.stringMatching(/^quota\.host_calls: .* of 2\d{6} characters; at most 1572864 /),
      expect.stringMatching(/^quota\.host_calls: /),
    ]);
  });

  it("at once, is refused what is beyond, and asks again later", async () => {
    const code = `export default async (most, ctx) => {
      const steps = Array.from({ length: most + 1 }, (_, i) => ctx.step("s" + i, () => 1));
      const settled = await Promise.allSettled(steps);
      await ctx.step("later", () => 1);
      return settled.filter(({ reason }) => reason?.code === "quota.host_calls").length;
    }`;
    const held = new Map(calls).set("step.finish", async () => {
      // After all of them have been made.
      await new Promise((resolve) => setImmediate(resolve));
    });
    const ran = await sandbox.run(code, { calls: held, input: CALL_LIMITS.atOnce });
    expect(resultOf(ran)).toBe(1);
  });

  it("in words that make no sense, is told so, and our log is not", async () => {
    const code = `export default async (_, ctx) => {
      const told = [];
      for (const value of [5, undefined]) {
        Object.prototype.toJSON = () => value;
        const { code, message } = await ctx.step("s", () => 1).catch((error) => error);
        delete Object.prototype.toJSON;
        told.push(code, message);
      }
      return told;
    }`;
    const [code1, message, ...again] = resultOf(await sandbox.run(code, { calls })) as string[];
    expect([code1, message]).toEqual([
      "script.threw",
      "what was asked of step.finish makes no sense",
    ]);
    expect(again).toEqual([code1, message]);
  });

  it("without ever letting it answer, fails with what it did", async () => {
    const code = `export default async () => {
      for (let i = 0; i < 1e4; i++) {
        const timer = setTimeout(() => {}, 1e9 - i * 1e4);
        await null; await null; await null;
        clearTimeout(timer);
      }
    }`;
    expect(codeOf(await sandbox.run(code))).toBe("quota.host_calls");
  });

  it("for a module before it is linked, is told where", async () => {
    const code = 'import source x from "zod"; export default () => 1';
    expect((await sandbox.run(code)).ending).toMatchObject({
      kind: "failed",
      error: { code: "script.syntax", stack: "    at script.ts:1:15" },
    });
  });
});
