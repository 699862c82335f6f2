import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

/** What a script's author is promised: docs/scripts.md and types/guest.d.ts. */
describe("the guest", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ limits: { cpuMs: 5_000 } });
  });

  afterAll(async () => {
    await sandbox.stop();
  });

  it("gives a script its input and its identity, and takes its result", async () => {
    const code =
      "export default async (input, ctx) => ({ ...input, id: ctx.jobId, n: ctx.attempt })";
    expect(resultOf(await sandbox.run(code, { input: { a: [1] } }))).toEqual({
      a: [1],
      id: "job-1",
      n: 1,
    });
  });

  it("takes nothing for null", async () => {
    expect(resultOf(await sandbox.run("export default () => {}"))).toBeNull();
  });

  it("waits for a top-level await", async () => {
    const code = "const x = await new Promise((r) => setTimeout(r, 5, 3)); export default () => x";
    expect(resultOf(await sandbox.run(code))).toBe(3);
  });

  it("keeps the order of rows and tells the streams apart", async () => {
    const code = `export default (_, ctx) => {
      console.log("one", 1, { a: [1, "b", null], m: new Map([["k", new Set([2])]]) });
      console.error("two\\nthree");
      ctx.log("four", true);
      ctx.output("five");
      console.log("%s is %d%%, %j", "it", 50, { x: 1 });
    }`;
    expect((await sandbox.run(code)).output).toEqual([
      'STDOUT one 1 { a: [ 1, "b", null ], m: Map { "k" => Set { 2 } } }',
      "STDERR two",
      "STDERR three",
      "LOG four true",
      "STDOUT five",
      "STDOUT it is 50%, { x: 1 }",
    ]);
  });

  it("shows circles, deep objects, long arrays and errors without end", async () => {
    const code = `export default () => {
      const a = { name: "a" }; a.self = a;
      console.log(a);
      console.log({ a: { b: { c: { d: 1 } } } });
      console.log(Array.from({ length: 1000 }, (_, i) => i));
      console.log(new RangeError("boo"));
    }`;
    const { output } = await sandbox.run(code);
    expect(output[0]).toBe('STDOUT { name: "a", self: [Circular] }');
    expect(output[1]).toBe("STDOUT { a: { b: { c: [Object] } } }");
    expect(output[2]).toMatch(/98, 99, … \]$/);
    expect(output[3]).toBe("STDOUT RangeError: boo");
    expect(output[4]).toBe("STDOUT     at default (script.ts:6:19)");
  });

  it("reports progress from fractions, from done of total, and from steps", async () => {
    const code = `export default async (_, ctx) => {
      for (const next of [0.25, { done: 1, total: 2, message: "half" }, 0.1, { step: 3, steps: 4 }]) {
        ctx.progress(next);
        await ctx.sleep(60);
      }
    }`;
    const { progress } = await sandbox.run(code);
    expect(progress).toEqual([
      { fraction: 0.25, message: "", currentStep: 0, totalSteps: 0 },
      { fraction: 0.5, message: "half", currentStep: 0, totalSteps: 0 },
      { fraction: 0.5, message: "half", currentStep: 0, totalSteps: 0 },
      { fraction: 0.5, message: "half", currentStep: 3, totalSteps: 4 },
    ]);
  });

  it("thins out a flood of progress, but never loses the last one", async () => {
    const code =
      "export default (_, ctx) => { for (let i = 0; i <= 1e5; i++) ctx.progress(i / 1e5); }";
    const { progress } = await sandbox.run(code);
    expect(progress.length).toBeLessThan(200);
    expect(progress.at(-1)?.fraction).toBe(1);
  });

  it("refuses progress that is no number", async () => {
    const { ending } = await sandbox.run("export default (_, ctx) => ctx.progress(NaN)");
    expect(ending).toMatchObject({ error: { message: /fraction must be a finite number/ } });
  });

  it("runs timers in the order of their time, and an interval until it is cleared", async () => {
    const code = `export default async () => {
      const seen = [];
      await new Promise((done) => {
        setTimeout(() => seen.push("late"), 20);
        setTimeout((a, b) => seen.push(a + b), 1, "ear", "ly");
        clearTimeout(setTimeout(() => seen.push("never"), 1));
        queueMicrotask(() => seen.push("micro"));
        let n = 0;
        const id = setInterval(() => { if (++n === 3) { clearInterval(id); setTimeout(done, 30); } }, 2);
      });
      return seen;
    }`;
    expect(resultOf(await sandbox.run(code))).toEqual(["micro", "early", "late"]);
  });

  it("aborts ctx.signal when nine tenths of the time are over", async () => {
    const code = `export default async (_, ctx) => {
      ctx.signal.addEventListener("abort", () => console.log(ctx.signal.reason.name));
      try { await ctx.sleep(60_000); } catch { return ctx.signal.aborted; }
    }`;
    const ran = await sandbox.run(code, { timeoutMs: 300 });
    expect(ran.output).toEqual(["STDOUT TimeoutError"]);
    expect(resultOf(ran)).toBe(true);
  });

  it("works although a script has patched everything that it could use", async () => {
    const code = `
      const broken = () => { throw new Error("patched"); };
      for (const type of [Array, String, Map, Set, Promise, WeakMap, Function]) {
        for (const name of Object.getOwnPropertyNames(type.prototype)) {
          if (name !== "constructor") try { type.prototype[name] = broken; } catch {}
        }
      }
      JSON.stringify = JSON.parse = Reflect.apply = Object.keys = Date.now = Math.min = broken;
      Object.prototype.toJSON = undefined;
      export default async (_, ctx) => {
        ctx.log("still here", 1);
        ctx.progress(0.5);
        await ctx.sleep(1);
        return { fine: true };
      }`;
    const ran = await sandbox.run(code);
    expect(resultOf(ran)).toEqual({ fine: true });
    expect(ran.output).toEqual(["LOG still here 1"]);
  });
});
