import { describe, expect, test } from "vitest";

import { end, lose } from "../../src/jobs/attempt-end.ts";
import type { LeaseToken, RunnerId } from "../../src/jobs/ids.ts";
import type { JobError, JobRow } from "../../src/jobs/job.ts";
import { MAX_LOST_ATTEMPTS } from "../../src/jobs/limits.ts";
import { aJobRow } from "../support/job-row.ts";

const NOW = 1_000_000;
const USAGE = { cpuMs: 12, peakMemoryBytes: 34 };

const running = (facts: Partial<JobRow> = {}): JobRow =>
  aJobRow({
    state: "RUNNING",
    attempt: 1,
    startedAt: NOW - 100,
    runnerId: "runner" as RunnerId,
    leaseToken: "lease" as LeaseToken,
    ...facts,
  });

const failure = (facts: Partial<JobError> = {}): JobError => ({
  code: "script.threw",
  message: "no",
  stack: "",
  retryable: true,
  ...facts,
});

const failed = (row: JobRow, error = failure(), random = 0.5) =>
  end(row, { kind: "failed", error, ...USAGE }, NOW, random);

describe("the end of an attempt", () => {
  test("with a result ends the job and keeps the result with the attempt", () => {
    const { patch, attempt } = end(running(), { kind: "succeeded", result: "7", ...USAGE }, NOW, 0);
    expect(patch).toMatchObject({ state: "SUCCEEDED", endedAt: NOW, ...USAGE });
    expect(attempt).toMatchObject({ outcome: "SUCCEEDED", result: "7", attempt: 1, ...USAGE });
  });

  test("by a failure backs off and counts a retry", () => {
    expect(failed(running()).patch).toMatchObject({
      state: "RETRYING",
      retryCount: 1,
      runAt: NOW + 1_000,
    });
  });

  test("by a failure that another attempt cannot help ends the job", () => {
    const { patch } = failed(running(), failure({ retryable: false }));
    expect(patch).toMatchObject({ state: "FAILED", endedAt: NOW });
  });

  test("by a failure after the last retry ends the job", () => {
    expect(failed(running({ retryCount: 3 })).patch).toMatchObject({ state: "FAILED" });
  });

  test("by a failure whose backoff would pass the deadline ends the job", () => {
    const { patch } = failed(running({ deadlineAt: NOW + 500 }));
    expect(patch).toMatchObject({ state: "FAILED", error: { code: "script.threw" } });
  });

  test.each([
    { kind: "succeeded" as const, result: "1" },
    { kind: "failed" as const, error: failure() },
    { kind: "cancelled" as const },
  ])("at the deadline is the total timeout, whatever it came to: $kind", (ending) => {
    const row = running({ deadlineAt: NOW });
    const { patch, attempt } = end(row, { ...ending, ...USAGE }, NOW, 0);
    expect(patch).toMatchObject({ state: "FAILED", error: { code: "timeout.total" }, ...USAGE });
    const code = ending.kind === "failed" ? "script.threw" : "timeout.total";
    expect(attempt).toMatchObject({ outcome: "FAILED", result: null, error: { code } });
  });

  test("before the deadline is what it came to", () => {
    const ending = { kind: "succeeded" as const, result: "1", ...USAGE };
    const { patch } = end(running({ deadlineAt: NOW + 1 }), ending, NOW, 0);
    expect(patch).toMatchObject({ state: "SUCCEEDED" });
  });

  test.each([
    { kind: "succeeded" as const, result: "1" },
    { kind: "failed" as const, error: failure() },
    { kind: "cancelled" as const },
  ])("after an acknowledged cancellation is CANCELLED, whatever it came to: $kind", (ending) => {
    const row = running({ cancelRequestedAt: NOW - 1 });
    const { patch, attempt } = end(row, { ...ending, ...USAGE }, NOW, 0);
    expect(patch).toMatchObject({ state: "CANCELLED", endedAt: NOW });
    expect(attempt).toMatchObject({ outcome: "CANCELLED", result: null });
  });
});

describe("a lost runner", () => {
  test("costs no retry: the job goes back to the queue", () => {
    const { patch, attempt } = lose(running({ queuedAt: 5 }), NOW);
    expect(patch).toMatchObject({ state: "QUEUED", lostCount: 1 });
    expect(patch).not.toHaveProperty("retryCount");
    expect(patch).not.toHaveProperty("queuedAt");
    expect(attempt).toMatchObject({ outcome: "LOST" });
  });

  test("ends a job that too many runners went down with", () => {
    const { patch } = lose(running({ lostCount: MAX_LOST_ATTEMPTS }), NOW);
    expect(patch).toMatchObject({ state: "FAILED", error: { code: "runner.lost" } });
  });

  test("carries out a cancellation that was acknowledged", () => {
    const { patch } = lose(running({ cancelRequestedAt: NOW }), NOW);
    expect(patch).toMatchObject({ state: "CANCELLED", endedAt: NOW });
  });
});
