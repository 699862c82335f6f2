import { JobFault } from "../jobs/errors.ts";
import type { JobRow } from "../jobs/job.ts";
import type { Organization } from "./organization.ts";

const FULL_QUEUE_RETRY_MS = 5_000;
const CONFLICT_RETRY_MS = 2_000;

/**
 * Why a job that is not active may not become so, together with `others`: the queue quota, or an
 * active job with its key if its policy is REJECT. Null: it may. Counts for new jobs and for those
 * that are retried by hand.
 */
export const whyNotAdmitted = (
  organization: Organization,
  { concurrencyKey, concurrencyPolicy }: JobRow,
  others = 0,
): JobFault | null => {
  const { maxQueued } = organization.limits;
  const { waiting } = organization;
  if (waiting + others >= maxQueued) {
    const message =
      others === 0
        ? `The queue is full: ${waiting} jobs of this organization wait already.`
        : `The queue has no room: ${waiting} jobs of this organization wait already, and ${others + 1} more would be more than ${maxQueued}.`;
    return new JobFault("QUEUE_FULL", `${message} Try again later.`, {
      metadata: { max_queued: String(maxQueued) },
      retryAfterMs: FULL_QUEUE_RETRY_MS,
    });
  }
  if (concurrencyPolicy === "REJECT" && organization.hasKey(concurrencyKey)) {
    return new JobFault("JOB_CONFLICT", "Another operation is already running.", {
      metadata: { concurrency_key: concurrencyKey },
      retryAfterMs: CONFLICT_RETRY_MS,
    });
  }
  return null;
};
