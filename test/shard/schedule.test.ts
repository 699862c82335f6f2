import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { ScheduleRow } from "../../src/jobs/schedule.ts";
import {
  fire,
  type Firing,
  giveUp,
  RETRY_MS,
  triggerSchedule,
} from "../../src/shard/commands/fire.ts";
import {
  createSchedule,
  deleteSchedule,
  type NextTime,
  pauseSchedule,
  resumeSchedule,
  updateSchedule,
} from "../../src/shard/commands/schedule.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { aSubmission } from "../support/job-row.ts";
import { aScheduleRow } from "../support/schedule-row.ts";
import { Shard } from "./harness.ts";

const minuteAfter: NextTime = (_timing, after) => after + 60_000;
const read = aScheduleRow();
const next = { nextFireAt: 120_000, pendingFrom: null };

const firing = (facts: Partial<Firing> = {}): Firing => ({
  read,
  runs: [{ at: 60_000, submission: aSubmission() }],
  next,
  ...facts,
});

const reasonOf = (outcome: unknown): string =>
  outcome instanceof JobFault ? outcome.reason : "no fault";

/** What the command leaves of the schedule, when it stands like that. */
const left = (shard: Shard, command: Parameters<Shard["do"]>[0], stands: ScheduleRow | null) => {
  const cold = { schedules: stands === null ? [] : [stands] };
  const { outcome, turn } = shard.do(command, cold);
  return { outcome, changes: turn.changes(), row: turn.schedules.find(read) };
};

describe("firing", () => {
  test("makes the job and moves the schedule on in one commit", () => {
    const { outcome, changes } = left(new Shard(), fire(firing()), read);
    expect(outcome).toBe(true);
    expect(changes.inserted).toHaveLength(1);
    expect(changes.schedules).toMatchObject([
      { nextFireAt: 120_000, lastFireAt: 60_000, lastJobId: changes.inserted[0]?.id, fireCount: 1 },
    ]);
    expect(changes.audit).toMatchObject([{ action: "job.submit" }]);
  });

  test.each([
    ["it has fired already", { nextFireAt: 120_000 }],
    ["it was changed", { version: 2 }],
    ["it was paused", { pausedAt: 1, nextFireAt: null }],
    ["a try of it failed meanwhile", { pendingFrom: 60_000 }],
    ["another has its id now", { createdAt: 5 }],
  ])("does nothing when %s", (_, facts) => {
    const { outcome, changes } = left(new Shard(), fire(firing()), { ...read, ...facts });
    expect(outcome).toBe(false);
    expect(changes).toMatchObject({ inserted: [], schedules: [] });
  });

  test("does nothing when it was deleted", () => {
    expect(left(new Shard(), fire(firing()), null)).toMatchObject({ outcome: false, row: null });
  });

  test("twice in one turn fires once", () => {
    const shard = new Shard();
    const [one, two] = [fire(firing()), fire(firing())];
    const both = {
      ...one,
      apply: (turn: Parameters<typeof one.apply>[0]) => [one, two].map((c) => c.apply(turn)),
    };
    const { outcome, turn } = shard.do(both, { schedules: [read] });
    expect(outcome).toEqual([true, false]);
    expect(turn.changes().inserted).toHaveLength(1);
  });

  test("a full queue leaves the time outstanding, and tries again later", () => {
    const shard = new Shard({ maxQueued: 1 });
    const runs = [60_000, 61_000, 62_000].map((at) => ({ at, submission: aSubmission() }));
    const { row, changes } = left(shard, fire(firing({ runs })), read);
    expect(changes.inserted).toHaveLength(1);
    expect(row).toMatchObject({
      lastFireAt: 60_000,
      fireCount: 1,
      pendingFrom: 61_000,
      nextFireAt: shard.now + RETRY_MS,
      lastJobId: "",
    });
    expect(row?.lastError).toMatch(/^QUEUE_FULL: /);
  });

  test("a conflict is noted, and the schedule goes on", () => {
    const shard = new Shard();
    const key = { concurrencyKey: "k", concurrencyPolicy: "REJECT" as const };
    shard.do(submit([aSubmission(key)]));
    const runs = [{ at: 60_000, submission: aSubmission(key) }];
    const { row } = left(shard, fire(firing({ runs })), read);
    expect(row).toMatchObject({ ...next, lastFireAt: 60_000, lastJobId: "", fireCount: 0 });
    expect(row?.lastError).toMatch(/^JOB_CONFLICT: /);
  });

  test("what could not even be prepared is noted, and cleared by the next job", () => {
    const submission = new JobFault("JOB_TYPE_DISABLED", "It is disabled.");
    const shard = new Shard();
    const noted = left(shard, fire(firing({ runs: [{ at: 60_000, submission }] })), read).row;
    expect(noted).toMatchObject({ ...next, lastError: "JOB_TYPE_DISABLED: It is disabled." });
    if (noted === null) throw new Error("the schedule is gone");
    const again = fire(firing({ read: noted, next: { ...next, nextFireAt: 180_000 } }));
    expect(left(shard, again, noted).row).toMatchObject({ lastError: "", fireCount: 1 });
  });

  test("without a time to fire only moves on", () => {
    const { row, changes } = left(new Shard(), fire(firing({ runs: [] })), read);
    expect(changes.inserted).toEqual([]);
    expect(row).toMatchObject({ ...next, lastFireAt: null, fireCount: 0 });
  });

  test("is given up only if the schedule still stands as it was read", () => {
    const sound = left(new Shard(), giveUp(read, "no such type"), read);
    expect(sound.row).toMatchObject({ pauseReason: "no such type", nextFireAt: null });
    expect(sound.changes.audit).toMatchObject([{ action: "schedule.pause", actor: SERVER }]);
    for (const stands of [{ ...read, version: 2 }, { ...read, createdAt: 5 }, null]) {
      const { outcome, changes } = left(new Shard(), giveUp(read, "no such type"), stands);
      expect(outcome).toBe(false);
      expect(changes).toMatchObject({ schedules: [], audit: [] });
    }
  });

  test("by hand leaves the schedule's own times alone, and is audited", () => {
    const by = { ...SERVER, tokenId: "t" };
    const command = triggerSchedule(read, aSubmission(), by);
    const { row, changes } = left(new Shard(), command, { ...read, pausedAt: 1, nextFireAt: null });
    expect(row).toMatchObject({ nextFireAt: null, pausedAt: 1, fireCount: 1 });
    expect(changes.audit.map(({ action }) => action)).toEqual(["job.submit", "schedule.trigger"]);
  });
});

describe("changing by hand", () => {
  const facts = {
    cron: "0 * * * *",
    timeZone: "UTC",
    catchUp: "ALL",
    spec: "{}",
    runAs: "",
  } as const;

  test("a schedule begins with the owner's time, and its id is taken then", () => {
    const shard = new Shard();
    const command = createSchedule(read, minuteAfter, SERVER);
    const { row } = left(shard, command, null);
    expect(row).toMatchObject({ version: 1, createdAt: 1_000, nextFireAt: 61_000 });
    expect(reasonOf(left(shard, command, row).outcome)).toBe("SCHEDULE_ALREADY_EXISTS");
  });

  test("an update raises the version, and one that names an older version is refused", () => {
    const shard = new Shard();
    const { row } = left(shard, updateSchedule(read, 1, facts, minuteAfter, SERVER), read);
    expect(row).toMatchObject({ ...facts, version: 2, nextFireAt: 61_000 });
    const late = updateSchedule(read, 1, facts, minuteAfter, SERVER);
    expect(reasonOf(left(shard, late, row).outcome)).toBe("SCHEDULE_CHANGED");
  });

  test("an update that leaves the timing as it is keeps the time that has come", () => {
    const same = { ...facts, cron: read.cron };
    const stands = { ...read, pendingFrom: 30_000 };
    const { row } = left(new Shard(), updateSchedule(read, 0, same, minuteAfter, SERVER), stands);
    expect(row).toMatchObject({ nextFireAt: 60_000, pendingFrom: 30_000 });
  });

  test("a pause takes its times away, and a resume goes on with the next", () => {
    const shard = new Shard();
    const stands = { ...read, pendingFrom: 30_000 };
    const paused = left(shard, pauseSchedule(read, "holidays", SERVER), stands).row;
    expect(paused).toMatchObject({ nextFireAt: null, pendingFrom: null, pauseReason: "holidays" });
    if (paused === null) throw new Error("the schedule is gone");
    const again = left(shard, pauseSchedule(read, "again", SERVER), paused);
    expect(again.changes.schedules).toEqual([]);
    const resumed = left(shard, resumeSchedule(paused, minuteAfter, SERVER), paused).row;
    expect(resumed).toMatchObject({ pausedAt: null, pauseReason: "", nextFireAt: 61_000 });
  });

  test("whoever speaks of one that is gone, or of another with its id, is told that it is not there", () => {
    for (const stands of [null, { ...read, createdAt: 7 }]) {
      for (const command of [
        updateSchedule(read, 0, facts, minuteAfter, SERVER),
        pauseSchedule(read, "", SERVER),
        resumeSchedule(read, minuteAfter, SERVER),
        deleteSchedule(read, SERVER),
        triggerSchedule(read, aSubmission(), SERVER),
      ]) {
        expect(reasonOf(left(new Shard(), command, stands).outcome)).toBe("SCHEDULE_NOT_FOUND");
      }
    }
  });

  test("a deleted schedule is removed in the same commit as its audit line", () => {
    const { changes } = left(new Shard(), deleteSchedule(read, SERVER), read);
    expect(changes.removedSchedules).toEqual([
      { organizationId: read.organizationId, id: read.id },
    ]);
    expect(changes.audit).toMatchObject([{ action: "schedule.delete", subject: read.id }]);
  });
});
