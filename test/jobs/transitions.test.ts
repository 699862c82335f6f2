import { describe, expect, test } from "vitest";

import type { LeaseToken, RunnerId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { whyNotRetryable } from "../../src/jobs/permissions.ts";
import { backoffMs, DEFAULT_RETRY_POLICY } from "../../src/jobs/retry.ts";
import * as transitions from "../../src/jobs/transitions.ts";
import { aJobRow } from "../support/job-row.ts";

const NOW = 1_000_000;

const running = (facts: Partial<JobRow> = {}): JobRow =>
  aJobRow({
    state: "RUNNING",
    attempt: 1,
    startedAt: NOW - 100,
    runnerId: "runner" as RunnerId,
    leaseToken: "lease" as LeaseToken,
    ...facts,
  });

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
