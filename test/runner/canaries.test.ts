import { describe, expect, it } from "vitest";

import { unmeasured } from "../../runner/executor.ts";
import { failure } from "../../runner/failures.ts";
import { type Canary, canariesFor } from "../../runner/sandbox/canaries.ts";
import { LAYERS } from "../../runner/sandbox/layers.ts";
import { DEFAULT_LIMITS } from "../../runner/sandbox/limits.ts";
import { type Attempt, prove, type Proof } from "../../runner/sandbox/prove.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { runCliHere } from "../support/cli-here.ts";
import { startSandbox } from "../support/runner-sandbox.ts";
import { aliveChildren } from "../support/sandbox-processes.ts";

const [ESCAPE, LOOP] = canariesFor("start", LAYERS) as [Canary, Canary];
const GONE = Promise.resolve();
const killed = { kind: "failed", error: failure("timeout.cpu", ""), ...unmeasured } as const;

const proofOf = async (canary: Canary, attempt: Attempt): Promise<Proof | undefined> => {
  // The wait for a process to end is cut short.
  const clock = {
    ...systemClock,
    after: (_: number, run: () => void) => systemClock.after(5, run),
  };
  return (await prove([canary], attempt, DEFAULT_LIMITS, clock, 1))[0];
};

describe("a runner does not start", () => {
  it("when what it reads of its children is wrong, so that a loop is not ended for its time", async () => {
    const lies = () => ({ cpuMs: 0, rssBytes: 1e12 });
    await expect(startSandbox({ canary: true, readUsage: lies })).rejects.toThrow(
      /the sandbox does not hold.*loop forever: memory instead of timeout\.cpu/,
    );
    expect(aliveChildren()).toEqual([]);
  });
});

describe("a canary is not contained", () => {
  it("when its process lives on after it was killed", async () => {
    const attempt: Attempt = async () =>
      await Promise.resolve({ ending: killed, gone: new Promise(() => {}) });
    expect(await proofOf(LOOP, attempt)).toMatchObject({
      contained: false,
      got: "timeout.cpu, but its process lives on",
    });
    const dies: Attempt = async () => await Promise.resolve({ ending: killed, gone: GONE });
    expect(await proofOf(LOOP, dies)).toMatchObject({ contained: true, got: "timeout.cpu" });
  });

  it("when it has found something", async () => {
    const attempt: Attempt = async () =>
      await Promise.resolve({
        ending: { kind: "succeeded", result: '["process"]', ...unmeasured },
        gone: GONE,
      });
    expect(await proofOf(ESCAPE, attempt)).toMatchObject({
      contained: false,
      got: 'succeeded with ["process"]',
    });
  });

  it("when it gets more rows through than a script may write", async () => {
    const attempt: Attempt = async (_, report) => {
      for (let i = 0; i < 3_000; i++) report.output("STDOUT", "x");
      const ending = { kind: "succeeded", result: "[]", ...unmeasured } as const;
      return await Promise.resolve({ ending, gone: GONE });
    };
    expect(await proofOf(ESCAPE, attempt)).toMatchObject({
      contained: false,
      got: "succeeded after 3000 rows",
    });
  });
});

describe("millrace runner --check", () => {
  it("tells every layer and every canary, and that all are contained", async () => {
    const { code, stdout } = await runCliHere(["runner", "--check"], {});
    for (const name of LAYERS)
      expect(stdout).toMatch(new RegExp(`^${name} +(active|missing)$`, "m"));
    for (const { tries } of canariesFor("all", LAYERS)) expect(stdout).toContain(tries);
    expect(stdout).not.toMatch(/ NO$/m);
    expect(code).toBe(0);
    expect(aliveChildren()).toEqual([]);
  });

  it("refuses a wrong configuration", async () => {
    const { code, stderr } = await runCliHere(["runner", "--check"], { MILLRACE_ISOLATION: "no" });
    expect(code).toBe(2);
    expect(stderr).toContain("MILLRACE_ISOLATION");
  });
});

describe("without a watch from outside", () => {
  it("a loop must end by its time, and memory is not tried", () => {
    const all = canariesFor("all", []);
    expect(all.find(({ tries }) => tries === "loop forever")?.wanted).toEqual(["timeout.wall"]);
    expect(all.some(({ wanted }) => wanted.includes("memory"))).toBe(false);
  });
});
