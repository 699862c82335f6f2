import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { RunnerId } from "../../src/jobs/ids.ts";
import { CRASHES_TO_OPEN, FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from "../../src/shard/breaker.ts";
import { loseRunner, wakeUp } from "../../src/shard/commands/clockwork.ts";
import { resumeType } from "../../src/shard/commands/resume-type.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import type { Placement } from "../../src/shard/scheduler.ts";
import { aSubmission } from "../support/job-row.ts";
import { endOf, failedWith, succeeded } from "./endings.ts";
import { acme, namesOf, RUNNER, Shard } from "./harness.ts";

const jobs = (count: number, type = "mail") =>
  submit(Array.from({ length: count }, () => aSubmission({ type, name: type })));

const only = (placements: readonly Placement[]): Placement => {
  const [placement] = placements;
  if (placement === undefined) throw new Error("nothing was placed");
  return placement;
};

/** A shard with one slot, on which one job of the type after the other ends with `code`. */
const crashing = (count: number, code = "memory") => {
  const shard = new Shard();
  shard.offer(1);
  let { placements } = shard.do(jobs(count + 1));
  for (let index = 0; index < count; index += 1) {
    ({ placements } = shard.do(endOf(only(placements), failedWith(code))));
  }
  return { shard, placements };
};

const breakerOf = (shard: Shard) => shard.state.organization(acme)?.breaker("mail") ?? null;
const wake = (shard: Shard, now: number) => {
  shard.now = now;
  return shard.do(wakeUp(1_000)).placements;
};

describe("a type that keeps crashing", () => {
  test("is not taken for healed by an attempt that a runner refused to start", () => {
    const { shard, placements } = crashing(CRASHES_TO_OPEN - 1);
    shard.do(jobs(1));
    const { placements: next } = shard.do(
      endOf(only(placements), failedWith("script.quarantined")),
    );
    expect(breakerOf(shard)).toMatchObject({ failures: 4 });
    shard.do(endOf(only(next), failedWith("memory")));
    expect(breakerOf(shard)).toMatchObject({ failures: 5, openedAt: 1_000 });
  });

  test("is paused after the last of so many crashes in a row, and no other type is", () => {
    const almost = crashing(CRASHES_TO_OPEN - 1);
    expect(breakerOf(almost.shard)).toMatchObject({ failures: 4, openedAt: null });
    expect(almost.placements).toHaveLength(1);

    const { shard, placements } = crashing(CRASHES_TO_OPEN);
    expect(placements).toEqual([]);
    expect(breakerOf(shard)).toMatchObject({ failures: 5, openedAt: 1_000, retryAt: 31_000 });
    expect(breakerOf(shard)?.reason).toContain("memory");
    expect(namesOf(shard.do(jobs(1, "print")).placements)).toEqual(["print"]);
  });

  test.each(["runner.crashed", "memory", "timeout.cpu"])("by %s", (code) => {
    expect(crashing(CRASHES_TO_OPEN, code).placements).toEqual([]);
  });

  test.each(["script.threw", "timeout.wall", "timeout.total", "quota.output"])(
    "not by %s",
    (code) => {
      const { shard, placements } = crashing(CRASHES_TO_OPEN + 1, code);
      expect(placements).toHaveLength(1);
      expect(breakerOf(shard)).toBeNull();
    },
  );

  test("starts to count anew when an attempt lived through it", () => {
    const { shard, placements } = crashing(CRASHES_TO_OPEN - 1);
    const { turn } = shard.do(endOf(only(placements), failedWith("script.threw")));
    expect(turn.changes().breakers).toMatchObject([{ failures: 0 }]);
    expect(breakerOf(shard)).toBeNull();
  });

  test("gets one attempt when its pause is over, and runs again when that succeeds", () => {
    const { shard } = crashing(CRASHES_TO_OPEN);
    shard.offer(9);
    expect(shard.state.wakesAt()).toBe(1_000 + FIRST_PAUSE_MS);
    expect(shard.do(jobs(3)).placements).toEqual([]);
    expect(wake(shard, 1_000 + FIRST_PAUSE_MS - 1)).toEqual([]);
    const probe = wake(shard, 1_000 + FIRST_PAUSE_MS);
    expect(probe).toHaveLength(1);
    expect(shard.state.wakesAt()).toBe(Number.POSITIVE_INFINITY);
    expect(shard.do(endOf(only(probe), succeeded())).placements).toHaveLength(3);
  });

  test("is paused for twice as long each time, but never for more than ten minutes", () => {
    const { shard } = crashing(CRASHES_TO_OPEN);
    shard.do(jobs(20));
    const pauses: number[] = [];
    for (let trips = 0; trips < 7; trips += 1) {
      const at = breakerOf(shard)?.retryAt ?? 0;
      pauses.push(at - shard.now);
      shard.do(endOf(only(wake(shard, at)), failedWith("memory")));
    }
    expect(pauses).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
    expect(Math.max(...pauses)).toBe(LONGEST_PAUSE_MS);
  });

  test("is paused by lost attempts too, where those of one runner count once", () => {
    const shard = new Shard({ maxRunning: 9 });
    const runner = (index: number) => `runner-${index}` as RunnerId;
    shard.do(jobs(9));
    for (let index = 0; index < CRASHES_TO_OPEN; index += 1) {
      expect(breakerOf(shard)?.failures ?? 0).toBe(index);
      shard.offer(9, undefined, runner(index));
      shard.do(submit([]));
      shard.slots.withdraw(runner(index));
      shard.do(loseRunner(runner(index)));
    }
    expect(breakerOf(shard)?.openedAt).toBe(1_000);
  });

  test("runs again at once when somebody resumes it, and that is noted", () => {
    const { shard } = crashing(CRASHES_TO_OPEN);
    const { placements, turn } = shard.do(resumeType(acme, "mail", SERVER));
    expect(placements).toHaveLength(1);
    expect(turn.changes().audit).toMatchObject([{ action: "type.resume", subject: "mail" }]);
    expect(turn.changes().breakers).toMatchObject([{ failures: 0, openedAt: null }]);
    expect(shard.do(resumeType(acme, "mail", SERVER)).turn.changedNothing).toBe(true);
  });

  test("stays paused with a new owner, and inline scripts are never paused", () => {
    const breaker = breakerOf(crashing(CRASHES_TO_OPEN).shard);
    if (breaker === null) throw new Error("it is not open");
    const shard = new Shard({ breakers: [breaker] });
    shard.offer(1, undefined, RUNNER);
    expect(shard.do(jobs(1)).placements).toEqual([]);
    expect(wake(shard, 31_000)).toHaveLength(1);

    const scripts = new Shard();
    scripts.offer(1);
    let { placements } = scripts.do(jobs(9, ""));
    for (let index = 0; index < 8; index += 1) {
      const { turn, placements: next } = scripts.do(endOf(only(placements), failedWith("memory")));
      expect(turn.changes().breakers).toEqual([]);
      placements = next;
    }
  });
});
