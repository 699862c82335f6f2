import { afterAll, beforeAll, expect, it } from "vitest";

import type { Steps } from "../../runner/executor.ts";
import { stepCalls } from "../../runner/executors/step-calls.ts";
import { createSteps, STEP_LIMITS } from "../../runner/steps.ts";
import { codeOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

const ref = { organizationId: "acme", jobId: "job", attempt: 2, leaseToken: "lease" };

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(async () => {
  await sandbox.stop();
});

/** Steps of a job of which `before` ended in an earlier attempt. */
const stepsAfter = (before: Readonly<Record<string, string>>): [Steps, string[]] => {
  const written: string[] = [];
  const steps = createSteps(
    ref,
    async () =>
      await Promise.resolve(Object.entries(before).map(([name, result]) => ({ name, result }))),
    async (name, result) => {
      written.push(`${name} ${result}`);
      await Promise.resolve();
    },
  );
  return [steps, written];
};

const SCRIPT = `export default async (input, ctx) => {
  const ran = [];
  const make = (name) => ctx.step(name, async () => { ran.push(name); return { made: name }; });
  return { a: await make("a"), b: await make("b"), ran };
}`;

it("a step that ended in an earlier attempt is not run again", async () => {
  const [steps, written] = stepsAfter({ a: '{"made":"before"}' });
  const { ending } = await sandbox.run(SCRIPT, { attempt: 2, calls: stepCalls(steps) });
  expect(ending).toMatchObject({
    kind: "succeeded",
    result: '{"a":{"made":"before"},"b":{"made":"b"},"ran":["b"]}',
  });
  expect(written).toEqual(['b {"made":"b"}']);
});

it("a step that fails is not kept, and fails the script as its error does", async () => {
  const [steps, written] = stepsAfter({});
  const ran = await sandbox.run(
    `export default (input, ctx) => ctx.step("a", () => { throw new RangeError("no") })`,
    { calls: stepCalls(steps) },
  );
  expect(ran.ending).toMatchObject({ error: { code: "script.threw", message: "RangeError: no" } });
  expect(written).toEqual([]);
});

it("the limits of steps are told to the script", async () => {
  const [steps] = stepsAfter({ taken: "1" });
  const run = async (code: string) =>
    await sandbox.run(`export default async (input, ctx) => ${code}`, {
      calls: stepCalls(steps),
    });
  const large = await run(`ctx.step("large", () => "x".repeat(${STEP_LIMITS.resultBytes}))`);
  expect(codeOf(large)).toBe("quota.steps");
  // Each of its characters takes eight in the frame that it would cross in.
  expect(codeOf(await run(`ctx.step("quotes", () => '"'.repeat(1_000_000))`))).toBe("quota.steps");
  expect(codeOf(await run(`ctx.step("x".repeat(101), () => 1)`))).toBe("quota.steps");
  expect(codeOf(await run(`ctx.step("", () => 1)`))).toBe("quota.steps");
  expect(codeOf(await run(`ctx.step("\\ud800", () => 1)`))).toBe("quota.steps");
  const twice = await run(`{ await ctx.step("one", () => 1); await ctx.step("one", () => 2); }`);
  expect(twice.ending).toMatchObject({
    error: { message: 'the step "one" has begun before: names are unique' },
  });
});

it("a name that is used twice in one attempt is refused in every attempt alike", async () => {
  for (const attempt of [1, 2]) {
    const [steps] = stepsAfter({});
    const twice = `{ await ctx.step("one", () => 1); return await ctx.step("one", () => 2); }`;
    const ran = await sandbox.run(`export default async (input, ctx) => ${twice}`, {
      attempt,
      calls: stepCalls(steps),
    });
    expect(codeOf(ran)).toBe("quota.steps");
  }
});

it("a step is not run while another one of its name runs, but again if that one failed", async () => {
  const [steps, written] = stepsAfter({});
  const ran = await sandbox.run(
    `export default async (input, ctx) => {
      let runs = 0;
      const fail = () => { runs += 1; throw new Error("no"); };
      await ctx.step("one", fail).catch(() => {});
      const both = [1, 2].map((n) => ctx.step("one", async () => { runs += 1; return n; }));
      return { ends: (await Promise.allSettled(both)).map(({ status }) => status), runs };
    }`,
    { calls: stepCalls(steps) },
  );
  expect(ran.ending).toMatchObject({ result: '{"ends":["fulfilled","rejected"],"runs":2}' });
  expect(written).toEqual(["one 1"]);
});

it("steps that could not be read are read again when the next one is asked for", async () => {
  let reads = 0;
  const read = async () => {
    reads += 1;
    if (reads === 1) throw new Error("nobody answers");
    return await Promise.resolve([{ name: "a", result: "1" }]);
  };
  const steps = createSteps(ref, read, async () => {});
  await expect(steps.find("a")).rejects.toThrow("nobody answers");
  expect(await steps.find("a")).toBe("1");
  expect(await steps.find("b")).toBeUndefined();
  expect(reads).toBe(2);
});

it("a call that the runner does not know is refused, and one that breaks tells nothing", async () => {
  const odd = await sandbox.run(`export default (input, ctx) => ctx.step("a", () => 1)`, {
    calls: new Map([["step.finish", async () => await Promise.reject(new Error("/secret"))]]),
  });
  expect(odd.ending).toMatchObject({
    error: { code: "runner.crashed", message: "step.finish did not work" },
  });
  const none = await sandbox.run(`export default (input, ctx) => ctx.step("a", () => 1)`);
  expect(none.ending).toMatchObject({ error: { message: "there is no step.finish here" } });
});
