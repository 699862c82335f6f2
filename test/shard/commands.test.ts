import { SERVER } from "../../src/jobs/audit.ts";
import { describe, expect, test } from "vitest";

import { JobFault } from "../../src/jobs/errors.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import type { AttemptRef, AttemptReport } from "../../src/jobs/report.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { sweepOverdue, wakeUp } from "../../src/shard/commands/clockwork.ts";
import { reconcile, refOf } from "../../src/shard/commands/reconcile.ts";
import { report } from "../../src/shard/commands/report.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { aJobId, aSubmission } from "../support/job-row.ts";
import { acme, RUNNER, Shard } from "./harness.ts";

const withRequest = (requestId: string, fingerprint: string): Submission => {
  const submission = aSubmission();
  const { organizationId, id } = submission.job;
  const request = { organizationId, requestId, jobId: id, fingerprint, createdAt: 0 };
  return { ...submission, request };
};

const reasonOf = (outcome: unknown): string =>
  outcome instanceof JobFault ? outcome.reason : "no fault";

const startOne = (facts: Partial<JobRow> = {}) => {
  const shard = new Shard();
  shard.offer(1);
  const submission = aSubmission(facts);
  const [placement] = shard.do(submit([submission])).placements;
  const ref = placement === undefined ? null : refOf(placement.job);
  if (ref === null) throw new Error("nothing was placed");
  return { shard, ref, job: submission.job };
};

const reportOf = (ref: AttemptRef, seq: number, rest: Partial<AttemptReport> = {}) =>
  report([{ ref, seq, progress: null, output: [], steps: [], ending: null, ...rest }]);

const succeeded = { kind: "succeeded" as const, result: "1", cpuMs: 1, peakMemoryBytes: 2 };

describe("submit", () => {
  test("the same request id with the same content answers with the same job", () => {
    const shard = new Shard();
    const [first, second] = [withRequest("r", "x"), withRequest("r", "x")];
    const { outcome, turn } = shard.do(submit([first, second]));
    expect(outcome).toMatchObject([
      { created: true, job: { id: first.job.id } },
      { created: false, job: { id: first.job.id } },
    ]);
    expect(turn.changes().inserted).toHaveLength(1);
  });

  test("the same request id with other content is refused", () => {
    const shard = new Shard();
    const { outcome } = shard.do(submit([withRequest("r", "x"), withRequest("r", "y")]));
    expect(reasonOf(outcome[1])).toBe("REQUEST_ID_REUSED");
  });

  test("a chosen id that is taken is refused, also by a job that has ended", () => {
    const { shard, ref, job } = startOne();
    const again = { ...aSubmission({ id: job.id }), idIsChosen: true };
    expect(reasonOf(shard.do(submit([again])).outcome[0])).toBe("JOB_ALREADY_EXISTS");
    const { turn } = shard.do(reportOf(ref, 1, { ending: succeeded }));
    const cold = { jobs: [...turn.changes().updated] };
    expect(reasonOf(shard.do(submit([again]), cold).outcome[0])).toBe("JOB_ALREADY_EXISTS");
  });

  test("a full queue refuses with the time to come again, and takes in what fits", () => {
    const shard = new Shard({ maxQueued: 1 });
    const { outcome } = shard.do(submit([aSubmission(), aSubmission()]));
    expect(outcome[0]).toMatchObject({ created: true });
    expect(outcome[1]).toMatchObject({ reason: "QUEUE_FULL", retryAfterMs: 5_000 });
  });

  test("a taken concurrency key refuses the policy REJECT", () => {
    const shard = new Shard();
    const rejecting = { concurrencyKey: "k", concurrencyPolicy: "REJECT" as const };
    const { outcome } = shard.do(submit([aSubmission(rejecting), aSubmission(rejecting)]));
    expect(outcome[0]).toMatchObject({ created: true });
    expect(reasonOf(outcome[1])).toBe("JOB_CONFLICT");
  });
});

describe("report", () => {
  test("a repeated report is answered alike and applied once", () => {
    const { shard, ref } = startOne();
    const output = [{ stream: "STDOUT" as const, text: "hello" }];
    expect(shard.do(reportOf(ref, 1, { output })).turn.output).toHaveLength(1);
    const again = shard.do(reportOf(ref, 1, { output }));
    expect(again.outcome).toEqual([{ cancelRequested: false }]);
    expect(again.turn.changedNothing).toBe(true);
  });

  test("weighs as much as the rows that it writes", () => {
    const { ref } = startOne();
    const output = Array.from({ length: 900 }, () => ({ stream: "LOG" as const, text: "." }));
    expect(reportOf(ref, 1, { output }).weight).toBe(901);
  });

  test("a repeated ending of a job that is no longer active is answered alike", () => {
    const { shard, ref } = startOne();
    const { turn } = shard.do(reportOf(ref, 1, { ending: succeeded }));
    const cold = { jobs: [...turn.changes().updated] };
    const again = shard.do(reportOf(ref, 1, { ending: succeeded }), cold);
    expect(again.outcome).toEqual([{ cancelRequested: false }]);
    expect(again.turn.changedNothing).toBe(true);
  });

  test("a stale attempt changes nothing", () => {
    const { shard, ref } = startOne();
    const stale = { ...ref, leaseToken: "another" as typeof ref.leaseToken };
    const { outcome, turn } = shard.do(reportOf(stale, 1, { ending: succeeded }));
    expect(reasonOf(outcome[0])).toBe("LEASE_LOST");
    expect(turn.changedNothing).toBe(true);
  });

  test("an unknown job is no attempt of anybody's", () => {
    const { shard, ref } = startOne();
    const { outcome } = shard.do(reportOf({ ...ref, jobId: aJobId() }, 1));
    expect(reasonOf(outcome[0])).toBe("LEASE_LOST");
  });

  test("output rows are numbered over all attempts", () => {
    const { shard, ref, job } = startOne();
    const output = [{ stream: "LOG" as const, text: "x" }];
    shard.do(reportOf(ref, 1, { output: [...output, ...output] }));
    const { turn } = shard.do(reportOf(ref, 2, { output }));
    expect(turn.output).toMatchObject([{ seq: 2 }]);
    expect(shard.row(job)?.outputCount).toBe(3);
  });
});

describe("cancel", () => {
  test("ends a job that waits", () => {
    const shard = new Shard();
    const { job } = shard.do(submit([aSubmission()])).outcome[0] as { job: JobRow };
    const { outcome } = shard.do(cancel(acme, job.id, { reason: "enough", by: SERVER }));
    expect(outcome).toMatchObject({ state: "CANCELLED", cancelReason: "enough" });
  });

  test("asks for the end of a job that runs, once", () => {
    const { shard, job } = startOne();
    const first = shard.do(cancel(acme, job.id, { reason: "enough", by: SERVER }));
    expect(first.outcome).toMatchObject({ state: "RUNNING", cancelReason: "enough" });
    expect(first.turn.toStop).toHaveLength(1);
    const second = shard.do(cancel(acme, job.id, { reason: "again", by: SERVER }));
    expect(second.outcome).toMatchObject({ cancelReason: "enough" });
    expect(second.turn.changedNothing).toBe(true);
  });

  test("wins over a result that arrives afterwards", () => {
    const { shard, ref, job } = startOne();
    shard.do(cancel(acme, job.id, { reason: "", by: SERVER }));
    const { turn } = shard.do(reportOf(ref, 1, { ending: succeeded }));
    expect(turn.changes().updated).toMatchObject([{ state: "CANCELLED" }]);
    expect(turn.attempts).toMatchObject([{ outcome: "CANCELLED", result: null }]);
  });

  test("refuses a job that has ended, and one that does not exist", () => {
    const { shard, ref, job } = startOne();
    const { turn } = shard.do(reportOf(ref, 1, { ending: succeeded }));
    const cold = { jobs: [...turn.changes().updated] };
    expect(reasonOf(shard.do(cancel(acme, job.id, { reason: "", by: SERVER }), cold).outcome)).toBe(
      "JOB_NOT_CANCELLABLE",
    );
    expect(reasonOf(shard.do(cancel(acme, aJobId(), { reason: "", by: SERVER })).outcome)).toBe(
      "JOB_NOT_FOUND",
    );
  });
});

describe("retry", () => {
  test("gives a failed job another attempt; refuses one that succeeded", () => {
    const { shard, ref, job } = startOne();
    const error = { code: "x", message: "", stack: "", retryable: false };
    const ending = { kind: "failed" as const, error, cpuMs: 0, peakMemoryBytes: 0 };
    const { turn } = shard.do(reportOf(ref, 1, { ending }));
    const cold = { jobs: [...turn.changes().updated] };
    const retried = shard.do(retry(acme, job.id, SERVER), cold);
    expect(retried.outcome).toMatchObject({ state: "QUEUED", retryCount: 1 });
    expect(shard.row(job)).toMatchObject({ state: "RUNNING", attempt: 2 });
    expect(retried.turn.changes().inserted).toEqual([]);
    expect(reasonOf(shard.do(retry(acme, job.id, SERVER)).outcome)).toBe("JOB_NOT_RETRYABLE");
  });
});

describe("time", () => {
  test("makes a scheduled job ready when its time comes, not before", () => {
    const shard = new Shard();
    const submission = aSubmission({ runAt: 2_000 });
    shard.do(submit([submission]));
    shard.now = 1_999;
    shard.do(wakeUp(10));
    expect(shard.row(submission.job)?.state).toBe("SCHEDULED");
    shard.now = 2_000;
    shard.do(wakeUp(10));
    expect(shard.row(submission.job)?.state).toBe("QUEUED");
  });

  test("fails a job that waits beyond its deadline", () => {
    const shard = new Shard();
    shard.do(submit([aSubmission({ deadlineAt: 1_500 })]));
    shard.now = 1_500;
    const { turn } = shard.do(wakeUp(10));
    expect(turn.changes().updated).toMatchObject([
      { state: "FAILED", error: { code: "timeout.total" } },
    ]);
  });

  test("takes away an attempt that runs far beyond its timeout", () => {
    const { shard, job } = startOne({ attemptTimeoutMs: 100 });
    shard.now += 100 + 15_000;
    shard.do(sweepOverdue());
    expect(shard.row(job)).toMatchObject({ attempt: 1 });
    shard.now += 1;
    shard.do(sweepOverdue());
    expect(shard.row(job)).toMatchObject({ attempt: 2, lostCount: 1 });
  });
});

describe("an attempt that is taken away after the job's deadline", () => {
  test("is not followed by another", () => {
    const { shard, job } = startOne({ deadlineAt: 1_200 });
    shard.now = 1_200 + 15_000;
    shard.do(sweepOverdue());
    expect(shard.row(job)).toMatchObject({ state: "RUNNING" });
    shard.now += 1;
    const { turn } = shard.do(sweepOverdue());
    expect(turn.changes().updated).toMatchObject([
      { state: "FAILED", error: { code: "timeout.total" } },
    ]);
  });
});

describe("reconcile", () => {
  test("gives out anew what never arrived, but not what may still be on its way", () => {
    const { shard, ref, job } = startOne({ attemptTimeoutMs: 600_000 });
    shard.now += 5_000;
    shard.do(reconcile(RUNNER, [], new Set()));
    expect(shard.row(job)).toMatchObject({ attempt: 1 });
    shard.now += 1;
    shard.do(reconcile(RUNNER, [], new Set([ref.leaseToken])));
    expect(shard.row(job)).toMatchObject({ attempt: 1 });
    shard.do(reconcile(RUNNER, [], new Set()));
    expect(shard.row(job)).toMatchObject({ attempt: 2 });
  });

  test("names what the runner holds and has lost, and what it is to stop", () => {
    const { shard, ref, job } = startOne();
    shard.do(cancel(acme, job.id, { reason: "", by: SERVER }));
    const foreign = { ...ref, jobId: aJobId() };
    const { outcome } = shard.do(reconcile(RUNNER, [ref, foreign], new Set()));
    expect(outcome).toEqual({ lost: [foreign], cancellations: [ref] });
  });
});
