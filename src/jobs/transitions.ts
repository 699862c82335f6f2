import type { LeaseToken, RunnerId, UserId } from "./ids.ts";
import { type JobError, type JobRow, type Millis, NO_PROGRESS } from "./job.ts";
import { LIMITS } from "./limits.ts";
import { transition } from "./states.ts";

/**
 * What an event does to a row, as the fields that change. Nothing here decides whether the event
 * may happen: that is the caller's guard, and `transition` refuses what the table does not allow.
 */
export type Patch = Partial<JobRow>;

/** A new job that waits for its release; its `run_at` stays what was asked. */
export const bornHeld = (now: Millis): Patch => ({
  state: "HELD",
  unreleased: true,
  createdAt: now,
  queuedAt: null,
});

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
  const released = { unreleased: false };
  if (isBlocked) return { ...released, state: transition(row.state, "release", "BLOCKED") };
  return row.runAt > now
    ? { ...released, state: transition(row.state, "release", "SCHEDULED") }
    : { ...released, state: transition(row.state, "release", "QUEUED"), queuedAt: now };
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

/** Its total timeout is over: whatever it comes to now, it has failed. */
export const hasOutlived = ({ deadlineAt }: JobRow, now: Millis): boolean =>
  deadlineAt !== null && now >= deadlineAt;

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

/** A job that waits for a slot is to wait for others first: one of them was given another attempt. */
export const holdBack = (row: JobRow): Patch => ({
  state: transition(row.state, "hold-back", "BLOCKED"),
  queuedAt: null,
});

/**
 * A job that was cancelled because another did not succeed waits for it again; for its release first,
 * if it was never released.
 */
export const reviveBlocked = (row: JobRow): Patch => ({
  state: transition(row.state, "revive", row.unreleased ? "HELD" : "BLOCKED"),
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
