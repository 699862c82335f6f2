import { describe, expect, it } from "vitest";

import { AttemptStopped } from "../../runner/executor.ts";
import { CRASHES_TO_OPEN, FIRST_PAUSE_MS } from "../../runner/sandbox/crash-loop.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { codeOf, resultOf, startSandbox } from "../support/runner-sandbox.ts";

const LOOP = "export default () => { for (;;); }";
const FINE = "export default () => 1";

describe("a script that keeps ending its process", () => {
  it("is refused for a while, without a process for it, and others are not", async () => {
    let passed = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + passed };
    const { run, stop, supervisor } = await startSandbox({ clock, limits: { cpuMs: 30 } });
    const crashing = { scriptHash: "a" };
    for (let i = 0; i < CRASHES_TO_OPEN; i++) {
      expect(codeOf(await run(LOOP, crashing))).toBe("timeout.cpu");
    }

    const before = supervisor.children();
    const { ending } = await run(LOOP, crashing);
    expect(ending).toMatchObject({ error: { code: "script.quarantined", retryable: true } });
    expect(supervisor.children()).toEqual(before);
    expect(resultOf(await run(FINE, { scriptHash: "b" }))).toBe(1);
    expect(resultOf(await run(FINE, { scriptHash: "a", organizationId: "bolt" }))).toBe(1);

    passed = FIRST_PAUSE_MS;
    const cancelled = AbortSignal.abort(new AttemptStopped("cancelled"));
    expect(codeOf(await run(FINE, { ...crashing, signal: cancelled }))).toBe("cancelled");
    expect(resultOf(await run(FINE, crashing))).toBe(1);
    expect(resultOf(await run(FINE, crashing))).toBe(1);
    await stop();
  });
});
