import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import { EXTERNAL, EXTERNAL_RUNNER, type JobId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { wakeUp } from "../../src/shard/commands/clockwork.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { type JobUpdate, update } from "../../src/shard/commands/update.ts";
import { EXTERNAL_STARTS } from "../../src/shard/external-slots.ts";
import { stateOf } from "../../src/shard/load.ts";
import { aSubmission } from "../support/job-row.ts";
import { acme, Shard, someLimits } from "./harness.ts";

const succeeded = { kind: "succeeded" as const, result: "1", cpuMs: 0, peakMemoryBytes: 0 };

const say = (jobId: JobId, seq: number, rest: Partial<JobUpdate> = {}) =>
  update({
    organizationId: acme,
    jobId,
    attempt: 0,
    seq,
    progress: null,
    output: [],
    ending: null,
    by: SERVER,
    ...rest,
  });

const begin = (facts: Partial<JobRow> = {}, shard = new Shard()) => {
  const submission = aSubmission({ capability: EXTERNAL, attemptTimeoutMs: 1_000, ...facts });
  const { placements } = shard.do(submit([submission]));
  return { shard, job: submission.job, id: submission.job.id, placements };
};

const rowOf = (outcome: unknown): JobRow => {
  if (outcome instanceof JobFault) throw outcome;
  return (outcome as { readonly job: JobRow }).job;
};
const reasonOf = (outcome: unknown): string =>
  outcome instanceof JobFault ? outcome.reason : "no fault";

describe("an external job", () => {
  test("starts at once, without any runner, and takes no slot", () => {
    const { shard, job, placements } = begin();
    expect(placements).toMatchObject([{ runnerId: EXTERNAL_RUNNER }]);
    expect(shard.row(job)).toMatchObject({ state: "RUNNING", attempt: 1, startedAt: 1_000 });
    expect(shard.state.runners.size).toBe(0);
    expect(shard.slots.usedBy(EXTERNAL_RUNNER)).toBe(0);
  });

  test("counts towards the limits of its organization and of its key", () => {
    const shard = new Shard({ maxRunning: 2 });
    begin({ concurrencyKey: "k" }, shard);
    expect(begin({ concurrencyKey: "k" }, shard).placements).toEqual([]);
    const second = begin({}, shard);
    expect(second.placements).toHaveLength(1);
    expect(begin({}, shard).placements).toEqual([]);
    const { placements, turn } = shard.do(say(second.id, 1, { ending: succeeded }));
    expect(placements).toHaveLength(1);
    expect(turn.released).toEqual([]);
  });

  test("fails its attempt at its timeout, and the retry policy applies", () => {
    const { shard, job } = begin();
    shard.now = 1_999;
    expect(shard.do(wakeUp(10)).turn.changedNothing).toBe(true);
    shard.now = 2_000;
    const { turn } = shard.do(wakeUp(10));
    expect(turn.attempts).toMatchObject([{ attempt: 1, error: { code: "timeout.wall" } }]);
    expect(shard.row(job)).toMatchObject({ state: "RETRYING", retryCount: 1 });
    shard.now = 3_000;
    shard.do(wakeUp(10));
    expect(shard.row(job)).toMatchObject({ state: "RUNNING", attempt: 2, updateSeq: 0 });
  });

  test("fails for good at its total timeout", () => {
    const { shard, id } = begin({ deadlineAt: 1_500 });
    shard.now = 1_500;
    const { turn } = shard.do(wakeUp(10));
    expect(turn.row(acme, id)).toMatchObject({
      state: "FAILED",
      error: { code: "timeout.total", retryable: false },
    });
  });

  test("runs on when it is cancelled, until its end is reported", () => {
    const { shard, id } = begin();
    const asked = shard.do(cancel(acme, id, { reason: "", by: SERVER })).outcome;
    expect(asked).toMatchObject({ state: "RUNNING", cancelRequestedAt: 1_000 });
    expect(shard.do(say(id, 1)).outcome).toMatchObject({ cancelRequested: true });
    const ending = { ...succeeded, kind: "cancelled" as const };
    expect(rowOf(shard.do(say(id, 2, { ending })).outcome).state).toBe("CANCELLED");
  });

  test("is cancelled at the timeout of its attempt if nobody says so before", () => {
    const { shard, id } = begin();
    shard.do(cancel(acme, id, { reason: "", by: SERVER }));
    shard.now = 2_000;
    expect(shard.do(wakeUp(10)).turn.row(acme, id)?.state).toBe("CANCELLED");
  });

  test("is counted and timed in the same way after a reload", async () => {
    const { shard, job } = begin();
    const row = shard.row(job);
    if (row === undefined) throw new Error("the job is gone");
    const snapshot = {
      epoch: 1,
      revision: 1,
      jobs: [row],
      organizations: [someLimits()],
      workflows: [],
      ...{ metricsClosedUntil: 0, unsettled: [], untold: new Map() },
    };
    const state = await stateOf(snapshot, async () => {});
    expect(state.organization(acme)?.running).toBe(1);
    expect(state.runners.size).toBe(0);
    expect(state.timers.next()).toBe(2_000);
  });

  test("a long backlog starts in several turns", () => {
    const shard = new Shard({ maxRunning: 100_000, maxQueued: 100_000 });
    const many = Array.from({ length: EXTERNAL_STARTS + 1 }, () =>
      aSubmission({ capability: EXTERNAL }),
    );
    expect(shard.do(submit(many)).placements).toHaveLength(EXTERNAL_STARTS);
    expect(shard.do(wakeUp(10)).placements).toHaveLength(1);
  });
});

describe("a report by reference", () => {
  test("is applied once for each sequence, in a lane of its own", () => {
    const { shard, id } = begin();
    const output = [{ stream: "LOG" as const, text: "a" }];
    const progress = { fraction: 0.5, message: "half", currentStep: 0, totalSteps: 0 };
    expect(rowOf(shard.do(say(id, 1, { output, progress })).outcome)).toMatchObject({
      outputCount: 1,
      updateSeq: 1,
      reportSeq: 0,
      progress: { fraction: 0.5 },
    });
    const again = shard.do(say(id, 1, { output, progress }));
    expect(rowOf(again.outcome)).toMatchObject({ outputCount: 1 });
    expect(again.turn.changedNothing).toBe(true);
    const back = { ...progress, fraction: 0.2 };
    expect(rowOf(shard.do(say(id, 2, { progress: back })).outcome).progress.fraction).toBe(0.5);
  });

  test("is noted in the audit log only when it ends the attempt", () => {
    const { shard, id } = begin();
    expect(shard.do(say(id, 1)).turn.changes().audit).toEqual([]);
    const { audit } = shard.do(say(id, 2, { ending: succeeded })).turn.changes();
    expect(audit).toMatchObject([
      { action: "job.update", subject: id, details: '{"attempt":1,"outcome":"SUCCEEDED"}' },
    ]);
  });

  test("of an ending is answered alike when it is repeated, and refused when it is new", () => {
    const { shard, id } = begin();
    const cold = { jobs: [rowOf(shard.do(say(id, 1, { ending: succeeded })).outcome)] };
    expect(rowOf(shard.do(say(id, 1, { ending: succeeded }), cold).outcome).state).toBe(
      "SUCCEEDED",
    );
    expect(reasonOf(shard.do(say(id, 2), cold).outcome)).toBe("JOB_NOT_RUNNING");
  });

  test("changes nothing when it speaks of an older attempt", () => {
    const { shard, id } = begin();
    shard.now = 2_000;
    shard.do(wakeUp(10));
    shard.now = 3_000;
    shard.do(wakeUp(10));
    const late = shard.do(say(id, 9, { attempt: 1, ending: succeeded }));
    expect(reasonOf(late.outcome)).toBe("LEASE_LOST");
    expect(late.turn.changedNothing).toBe(true);
    expect(rowOf(shard.do(say(id, 1, { attempt: 2, ending: succeeded })).outcome).state).toBe(
      "SUCCEEDED",
    );
  });

  test("of a job that does not run, or is not there, is refused", () => {
    const shard = new Shard({ maxRunning: 0 });
    const { id } = begin({}, shard);
    expect(reasonOf(shard.do(say(id, 1)).outcome)).toBe("JOB_NOT_RUNNING");
    expect(reasonOf(shard.do(say("none" as JobId, 1)).outcome)).toBe("JOB_NOT_FOUND");
  });
});
