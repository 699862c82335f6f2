import { describe, expect, test } from "vitest";

import type { LeaseToken, RunnerId } from "../../src/jobs/ids.ts";
import type { JobError, JobRow } from "../../src/jobs/job.ts";
import { MAX_LOST_ATTEMPTS } from "../../src/jobs/limits.ts";
import { whyNotRetryable } from "../../src/jobs/permissions.ts";
import { backoffMs, DEFAULT_RETRY_POLICY } from "../../src/jobs/retry.ts";
import * as transitions from "../../src/jobs/transitions.ts";
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
  transitions.end(row, { kind: "failed", error, ...USAGE }, NOW, random);

describe("a new job", () => {
  test("is QUEUED when its time has come", () => {
    expect(transitions.born(aJobRow({ runAt: NOW }), NOW)).toMatchObject({
      state: "QUEUED",
      queuedAt: NOW,
    });
  });

  test("is SCHEDULED when its time is still to come", () => {
    expect(transitions.born(aJobRow({ runAt: NOW + 1 }), NOW)).toMatchObject({
      state: "SCHEDULED",
      queuedAt: null,
    });
  });
});

describe("the end of an attempt", () => {
  test("with a result ends the job and keeps the result with the attempt", () => {
    const { patch, attempt } = transitions.end(
      running(),
      { kind: "succeeded", result: "7", ...USAGE },
      NOW,
      0,
    );
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
    const { patch, attempt } = transitions.end(row, { ...ending, ...USAGE }, NOW, 0);
    expect(patch).toMatchObject({ state: "FAILED", error: { code: "timeout.total" }, ...USAGE });
    const code = ending.kind === "failed" ? "script.threw" : "timeout.total";
    expect(attempt).toMatchObject({ outcome: "FAILED", result: null, error: { code } });
  });

  test("before the deadline is what it came to", () => {
    const ending = { kind: "succeeded" as const, result: "1", ...USAGE };
    const { patch } = transitions.end(running({ deadlineAt: NOW + 1 }), ending, NOW, 0);
    expect(patch).toMatchObject({ state: "SUCCEEDED" });
  });

  test.each([
    { kind: "succeeded" as const, result: "1" },
    { kind: "failed" as const, error: failure() },
    { kind: "cancelled" as const },
  ])("after an acknowledged cancellation is CANCELLED, whatever it came to: $kind", (ending) => {
    const row = running({ cancelRequestedAt: NOW - 1 });
    const { patch, attempt } = transitions.end(row, { ...ending, ...USAGE }, NOW, 0);
    expect(patch).toMatchObject({ state: "CANCELLED", endedAt: NOW });
    expect(attempt).toMatchObject({ outcome: "CANCELLED", result: null });
  });
});

describe("a lost runner", () => {
  test("costs no retry: the job goes back to the queue", () => {
    const { patch, attempt } = transitions.lose(running({ queuedAt: 5 }), NOW);
    expect(patch).toMatchObject({ state: "QUEUED", lostCount: 1 });
    expect(patch).not.toHaveProperty("retryCount");
    expect(patch).not.toHaveProperty("queuedAt");
    expect(attempt).toMatchObject({ outcome: "LOST" });
  });

  test("ends a job that too many runners went down with", () => {
    const { patch } = transitions.lose(running({ lostCount: MAX_LOST_ATTEMPTS }), NOW);
    expect(patch).toMatchObject({ state: "FAILED", error: { code: "runner.lost" } });
  });

  test("carries out a cancellation that was acknowledged", () => {
    const { patch } = transitions.lose(running({ cancelRequestedAt: NOW }), NOW);
    expect(patch).toMatchObject({ state: "CANCELLED", endedAt: NOW });
  });
});

describe("progress", () => {
  test("never goes back within an attempt", () => {
    const before = { fraction: 0.5, message: "half", currentStep: 3, totalSteps: 6 };
    const reported = { fraction: 0.2, message: "again", currentStep: 2, totalSteps: 6 };
    expect(transitions.advance(before, reported)).toEqual({
      fraction: 0.5,
      message: "again",
      currentStep: 3,
      totalSteps: 6,
    });
  });

  test("keeps its steps when a report speaks of none, and never has fewer than were taken", () => {
    const before = { fraction: 0.5, message: "", currentStep: 3, totalSteps: 6 };
    const none = { fraction: 0.6, message: "", currentStep: 0, totalSteps: 0 };
    expect(transitions.advance(before, none)).toMatchObject({ currentStep: 3, totalSteps: 6 });
    const fewer = { ...none, currentStep: 1, totalSteps: 2 };
    expect(transitions.advance(before, fewer)).toMatchObject({ currentStep: 3, totalSteps: 3 });
  });

  test("starts anew with the next attempt", () => {
    const row = aJobRow({
      progress: { fraction: 0.9, message: "", currentStep: 0, totalSteps: 0 },
    });
    const to = { runnerId: "r" as RunnerId, leaseToken: "l" as LeaseToken };
    expect(transitions.start(row, to, NOW)).toMatchObject({
      attempt: 1,
      progress: { fraction: 0 },
    });
  });
});

describe("the backoff", () => {
  test("grows exponentially up to its maximum", () => {
    const policy = { ...DEFAULT_RETRY_POLICY, maxBackoffMs: 5_000 };
    const delays = [1, 2, 3, 4, 5].map((retry) => backoffMs(policy, retry, 0.5));
    expect(delays).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test("is spread by its jitter, both ways", () => {
    expect(backoffMs(DEFAULT_RETRY_POLICY, 1, 0)).toBe(800);
    expect(backoffMs(DEFAULT_RETRY_POLICY, 1, 0.999_999)).toBe(1_200);
  });
});

describe("a retry by hand", () => {
  test("is refused for a job that has not failed, with its state", () => {
    expect(whyNotRetryable(running(), NOW)).toContain("RUNNING");
  });

  test("is refused when all retries have been used", () => {
    const row = aJobRow({ state: "FAILED", retryCount: 3 });
    expect(whyNotRetryable(row, NOW)).toContain("3 retries");
  });

  test("is refused after the total timeout", () => {
    const row = aJobRow({ state: "FAILED", deadlineAt: NOW });
    expect(whyNotRetryable(row, NOW)).toContain("timeout");
  });

  test("is refused for a job that never ran, also by a clock that is behind", () => {
    const held = { ...running(), state: "HELD" as const, attempt: 0, deadlineAt: NOW };
    const row: JobRow = { ...held, ...transitions.expire(held, NOW) };
    expect(whyNotRetryable(row, NOW - 5_000)).toContain("total timeout");
  });

  test("queues the job at once and counts as a retry", () => {
    const row = aJobRow({ state: "FAILED", attempt: 2, retryCount: 1, endedAt: 5 });
    expect(whyNotRetryable(row, NOW)).toBeNull();
    expect(transitions.retryByHand(row, false, NOW)).toMatchObject({
      state: "QUEUED",
      retryCount: 2,
      endedAt: null,
    });
  });
});
