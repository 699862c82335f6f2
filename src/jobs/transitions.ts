import type { LeaseToken, RunnerId, UserId } from "./ids.ts";
import { NO_PROGRESS, type AttemptOutcome, type AttemptRow } from "./job.ts";
import type { JobError, JobRow, JsonText, Millis, Progress } from "./job.ts";
import { LIMITS, MAX_LOST_ATTEMPTS } from "./limits.ts";
import type { Ending } from "./report.ts";
import { backoffMs } from "./retry.ts";
import { transition } from "./states.ts";

/**
 * What an event does to a row, as the fields that change. Nothing here decides whether the event
 * may happen: that is the caller's guard, and `transition` refuses what the table does not allow.
 */
export type Patch = Partial<JobRow>;

/** What the end of an attempt leaves behind. */
export type AttemptEnd = { readonly patch: Patch; readonly attempt: AttemptRow };

/** A new job that waits for its release; its `run_at` stays what was asked. */
export const bornHeld = (now: Millis): Patch => ({ state: "HELD", createdAt: now, queuedAt: null });

/** A new job: ready at once, or waiting for its `run_at`. */
export const born = (row: JobRow, now: Millis): Patch =>
  row.runAt > now
    ? { state: "SCHEDULED", createdAt: now, queuedAt: null }
    : { state: "QUEUED", createdAt: now, queuedAt: now, runAt: now };

/** A new job that waits for others; its `run_at` stays what was asked. */
export const bornBlocked = (now: Millis): Patch => ({
  state: "BLOCKED",
  createdAt: now,
  queuedAt: null,
});

/** A HELD job goes on: ready at once, or waiting for its `run_at`, or `isBlocked` by other jobs. */
export const release = (row: JobRow, isBlocked: boolean, now: Millis): Patch => {
  if (isBlocked) return { state: transition(row.state, "release", "BLOCKED") };
  return row.runAt > now
    ? { state: transition(row.state, "release", "SCHEDULED") }
    : { state: transition(row.state, "release", "QUEUED"), queuedAt: now };
};

/** The last job that it waited for has ended: ready at once, or waiting for its `run_at`. */
export const unblock = (row: JobRow, now: Millis): Patch =>
  row.runAt > now
    ? { state: transition(row.state, "unblock", "SCHEDULED") }
    : { state: transition(row.state, "unblock", "QUEUED"), queuedAt: now };

export const becomeDue = (row: JobRow, now: Millis): Patch => ({
  state: transition(row.state, "due", "QUEUED"),
  queuedAt: now,
});

export const start = (
  row: JobRow,
  to: { readonly runnerId: RunnerId; readonly leaseToken: LeaseToken },
  now: Millis,
): Patch => ({
  state: transition(row.state, "start", "RUNNING"),
  attempt: row.attempt + 1,
  runnerId: to.runnerId,
  leaseToken: to.leaseToken,
  startedAt: now,
  endedAt: null,
  reportSeq: 0,
  updateSeq: 0,
  progress: NO_PROGRESS,
  error: null,
});

/**
 * Progress never goes back within an attempt: a smaller fraction, or step, keeps the larger one. A
 * report that speaks of no steps leaves them; there are never fewer of them than have been taken.
 */
export const advance = (before: Progress, reported: Progress): Progress => {
  const currentStep = Math.max(before.currentStep, reported.currentStep);
  const totalSteps = reported.totalSteps === 0 ? before.totalSteps : reported.totalSteps;
  return {
    fraction: Math.max(before.fraction, Math.min(1, reported.fraction)),
    message: reported.message,
    currentStep,
    totalSteps: totalSteps === 0 ? 0 : Math.max(totalSteps, currentStep),
  };
};

/** Its total timeout is over: whatever it comes to now, it has failed. */
export const hasOutlived = ({ deadlineAt }: JobRow, now: Millis): boolean =>
  deadlineAt !== null && now >= deadlineAt;

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

/** Why a job is to end, and who said so. */
export type Cancellation = { readonly reason: string; readonly by: UserId | "" };

/** Cancels a job that does not run. */
export const cancelNow = (row: JobRow, { reason, by }: Cancellation, now: Millis): Patch => ({
  state: transition(row.state, "cancel", "CANCELLED"),
  cancelRequestedAt: now,
  cancelReason: reason,
  cancelledBy: by,
  endedAt: now,
});

/** Cancels a job that waits, because `upstream` did not succeed. */
export const cancelBlocked = (row: JobRow, upstream: JobRow, now: Millis): Patch => ({
  ...cancelNow(row, { reason: whyBlocked(upstream), by: "" }, now),
  blockedBy: upstream.stepName,
});

const whyBlocked = ({ stepName, state, error }: JobRow): string => {
  if (state !== "FAILED" || error === null) return `step "${stepName}" was cancelled`;
  const reason = `step "${stepName}" failed: ${error.code}: ${error.message}`;
  const { cancelReasonLength: most } = LIMITS;
  return reason.length <= most ? reason : `${reason.slice(0, most - 1)}…`.toWellFormed();
};

/** A job that was cancelled because another did not succeed waits for it again. */
export const reviveBlocked = (row: JobRow): Patch => ({
  state: transition(row.state, "revive", "BLOCKED"),
  queuedAt: null,
  endedAt: null,
  purgeAt: null,
  cancelRequestedAt: null,
  cancelReason: "",
  cancelledBy: "",
  blockedBy: "",
});

/** Asks for the end of the running attempt; the job ends when its runner has stopped it. */
export const askToCancel = (row: JobRow, { reason, by }: Cancellation, now: Millis): Patch => ({
  state: transition(row.state, "ask-to-cancel", "RUNNING"),
  cancelRequestedAt: now,
  cancelReason: reason,
  cancelledBy: by,
});

/** A job that outlived its total timeout. */
export const expire = (row: JobRow, now: Millis): Patch => ({
  state: transition(row.state, "fail", "FAILED"),
  endedAt: now,
  error: TOTAL_TIMEOUT,
});

/** Another attempt: at once, or when the jobs that it is `isBlocked` by have ended. */
export const retryByHand = (row: JobRow, isBlocked: boolean, now: Millis): Patch => ({
  state: transition(row.state, "retry", isBlocked ? "BLOCKED" : "QUEUED"),
  retryCount: row.retryCount + 1,
  queuedAt: isBlocked ? null : now,
  endedAt: null,
  purgeAt: null,
  runAt: now,
  progress: NO_PROGRESS,
});

export const TOTAL_TIMEOUT: JobError = {
  code: "timeout.total",
  message: "The job did not end within its total timeout.",
  stack: "",
  retryable: false,
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
