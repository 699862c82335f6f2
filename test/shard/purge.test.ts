import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { purge } from "../../src/shard/commands/purge.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import type { PurgedJob } from "../../src/store/store.ts";
import { aJobRow, aSubmission } from "../support/job-row.ts";
import { acme, Shard } from "./harness.ts";

const PURGE_AT = 500;

const ended = (facts: Partial<JobRow> = {}): JobRow =>
  aJobRow({ state: "FAILED", attempt: 1, endedAt: 1, purgeAt: PURGE_AT, revision: 7, ...facts });

const asRead = ({ organizationId, id, revision, labels, outputCount }: JobRow): PurgedJob => ({
  organizationId,
  id,
  revision,
  labels,
  outputCount,
  requestId: "r",
});

describe("purge", () => {
  test("removes a job whose time has come", () => {
    const job = ended();
    const cold = { jobs: [job] };
    const { outcome, turn } = new Shard().do(purge([{ job: asRead(job), output: null }]), cold);
    expect(outcome).toBe(1);
    expect(turn.changes().purged).toEqual([asRead(job)]);
    expect(turn.row(job.organizationId, job.id)).toBeNull();
  });

  test.each([
    ["was retried and runs again", { state: "RUNNING", endedAt: null, purgeAt: null, revision: 8 }],
    ["ended anew since it was read", { revision: 9 }],
    ["is to be kept for longer", { purgeAt: 5_000 }],
  ] as const)("leaves a job alone that %s", (_, facts) => {
    const job = ended();
    const cold = { jobs: [{ ...job, ...facts }] };
    const removals = [null, [0, 1]].map((output) => ({ job: asRead(job), output }));
    const { outcome, turn } = new Shard().do(purge(removals), cold);
    expect(outcome).toBe(0);
    expect(turn.changedNothing).toBe(true);
  });

  test("leaves a job alone that was brought back to life in the same turn", () => {
    const shard = new Shard();
    shard.now = PURGE_AT - 1;
    const job = ended();
    const revived = shard.do(retry(acme, job.id, SERVER), { jobs: [job] });
    expect(revived.outcome).not.toBeInstanceOf(JobFault);
    shard.now = PURGE_AT;
    const { outcome } = shard.do(purge([{ job: asRead(job), output: null }]), { jobs: [job] });
    expect(outcome).toBe(0);
    expect(shard.row(job)?.state).toBe("QUEUED");
  });

  test("leaves a job alone that is gone already", () => {
    const { outcome, turn } = new Shard().do(purge([{ job: asRead(ended()), output: null }]));
    expect(outcome).toBe(0);
    expect(turn.changedNothing).toBe(true);
  });

  test("takes pieces of much output, and keeps the job until the rest is little", () => {
    const job = ended({ outputCount: 900 });
    const { outcome, turn } = new Shard().do(purge([{ job: asRead(job), output: [3, 4] }]), {
      jobs: [job],
    });
    expect(outcome).toBe(0);
    expect(turn.changes()).toMatchObject({
      purged: [],
      purgedOutput: [
        { jobId: job.id, seq: 3 },
        { jobId: job.id, seq: 4 },
      ],
    });
  });

  test("a job whose time has come is retried no more", () => {
    const shard = new Shard();
    shard.now = PURGE_AT;
    const job = ended();
    const { outcome } = shard.do(retry(acme, job.id, SERVER), { jobs: [job] });
    expect(outcome).toMatchObject({ reason: "JOB_NOT_RETRYABLE" });
  });

  test("its request id makes a new job, even in the same turn", () => {
    const shard = new Shard();
    const job = ended();
    const submission = aSubmission();
    const known = { organizationId: acme, requestId: "r", fingerprint: "f", createdAt: 0 };
    const again = { ...submission, request: { ...known, jobId: submission.job.id } };
    const [one, two] = [purge([{ job: asRead(job), output: null }]), submit([again])];
    const both = {
      ...one,
      apply: (turn: Parameters<typeof one.apply>[0]) => [one.apply(turn), ...two.apply(turn)],
    };
    const cold = { jobs: [job], requests: [{ ...known, jobId: job.id }] };
    const { outcome, turn } = shard.do(both, cold);
    expect(outcome).toMatchObject([1, { created: true, job: { id: submission.job.id } }]);
    expect(turn.changes().requests).toMatchObject([{ jobId: submission.job.id }]);
  });
});
