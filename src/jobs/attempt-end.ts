import type { RunnerId } from "./ids.ts";
import { type AttemptOutcome, type AttemptRow, type JobError, type JobRow } from "./job.ts";
import { type JsonText, type Millis, NO_PROGRESS } from "./job.ts";
import { MAX_LOST_ATTEMPTS } from "./limits.ts";
import type { Ending } from "./report.ts";
import { backoffMs } from "./retry.ts";
import { transition } from "./states.ts";
import { expire, hasOutlived, type Patch, TOTAL_TIMEOUT } from "./transitions.ts";

/** What the end of an attempt leaves behind. */
export type AttemptEnd = { readonly patch: Patch; readonly attempt: AttemptRow };

/**
 * The attempt ended as its runner says. A cancellation that was acknowledged before wins over
 * whatever the attempt came to, and so does the total timeout: by the clock of the owner, not by
 * which of two reports was faster. `random` in [0, 1) spreads the backoff.
 */
export const end = (row: JobRow, ending: Ending, now: Millis, random: number): AttemptEnd => {
  const usage = { cpuMs: ending.cpuMs, peakMemoryBytes: ending.peakMemoryBytes };
  const finish = (
    outcome: AttemptOutcome,
    patch: Patch,
    rest: { readonly result?: JsonText; readonly error?: JobError } = {},
  ): AttemptEnd => ({
    patch: { ...usage, error: rest.error ?? null, ...patch },
    attempt: attemptRow(row, outcome, now, { ...usage, ...rest }),
  });

  if (row.cancelRequestedAt !== null) {
    return finish("CANCELLED", {
      state: transition(row.state, "cancel", "CANCELLED"),
      endedAt: now,
    });
  }
  if (hasOutlived(row, now)) {
    const error = ending.kind === "failed" ? ending.error : TOTAL_TIMEOUT;
    return finish("FAILED", expire(row, now), { error });
  }
  switch (ending.kind) {
    case "succeeded":
      return finish(
        "SUCCEEDED",
        {
          state: transition(row.state, "succeed", "SUCCEEDED"),
          endedAt: now,
          progress: { ...row.progress, fraction: 1 },
        },
        { result: ending.result },
      );
    case "cancelled":
      return finish("CANCELLED", {
        state: transition(row.state, "cancel", "CANCELLED"),
        endedAt: now,
      });
    case "failed":
      return finish("FAILED", afterFailure(row, ending.error, now, random), {
        error: ending.error,
      });
  }
};

/** The runner is gone: the attempt is given to another, unless too many went down with this job. */
export const lose = (row: JobRow, now: Millis): AttemptEnd => {
  const attempt = (outcome: AttemptOutcome, error: JobError | null): AttemptRow =>
    attemptRow(row, outcome, now, { cpuMs: 0, peakMemoryBytes: 0, ...(error && { error }) });

  if (row.cancelRequestedAt !== null) {
    return {
      patch: { state: transition(row.state, "cancel", "CANCELLED"), endedAt: now },
      attempt: attempt("CANCELLED", null),
    };
  }
  const error = whyNoOtherAttempt(row, now);
  if (error !== null) {
    return {
      patch: {
        state: transition(row.state, "fail", "FAILED"),
        endedAt: now,
        lostCount: row.lostCount + 1,
        error,
      },
      attempt: attempt("LOST", error),
    };
  }
  return {
    patch: {
      state: transition(row.state, "rescue", "QUEUED"),
      lostCount: row.lostCount + 1,
      progress: NO_PROGRESS,
    },
    attempt: attempt("LOST", null),
  };
};

const whyNoOtherAttempt = (row: JobRow, now: Millis): JobError | null => {
  if (hasOutlived(row, now)) return TOTAL_TIMEOUT;
  if (row.lostCount < MAX_LOST_ATTEMPTS) return null;
  return {
    code: "runner.lost",
    message: `The runner was lost ${row.lostCount + 1} times while it ran this job.`,
    stack: "",
    retryable: false,
  };
};

const afterFailure = (row: JobRow, error: JobError, now: Millis, random: number): Patch => {
  const delay = backoffMs(row.retryPolicy, row.retryCount + 1, random);
  const spent = row.retryCount >= row.retryPolicy.maxRetries;
  const tooLate = row.deadlineAt !== null && now + delay >= row.deadlineAt;
  if (spent || tooLate || !error.retryable) {
    return {
      state: transition(row.state, "fail", "FAILED"),
      endedAt: now,
      error,
    };
  }
  return {
    state: transition(row.state, "back-off", "RETRYING"),
    retryCount: row.retryCount + 1,
    runAt: now + delay,
    error,
  };
};

const attemptRow = (
  row: JobRow,
  outcome: AttemptOutcome,
  now: Millis,
  rest: {
    readonly cpuMs: number;
    readonly peakMemoryBytes: number;
    readonly result?: JsonText;
    readonly error?: JobError;
  },
): AttemptRow => ({
  organizationId: row.organizationId,
  jobId: row.id,
  attempt: row.attempt,
  runnerId: row.runnerId as RunnerId,
  startedAt: row.startedAt ?? now,
  endedAt: now,
  outcome,
  result: rest.result ?? null,
  error: rest.error ?? null,
  cpuMs: rest.cpuMs,
  peakMemoryBytes: rest.peakMemoryBytes,
});
