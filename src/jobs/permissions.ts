import type { JobRow, Millis } from "./job.ts";
import { accepts, hasEnded } from "./states.ts";
import { hasOutlived } from "./transitions.ts";
import type { WorkflowRow } from "./workflow.ts";

/** What may be done with a job as it stands. The owner decides by these; the API shows them. */
export const canCancel = (job: JobRow): boolean =>
  !hasEnded(job.state) && job.cancelRequestedAt === null;

/** Why a job cannot be retried by hand, in one sentence; null if it can. */
export const whyNotRetryable = (job: JobRow, now: Millis): string | null => {
  if (!accepts(job.state, "retry")) return `Only a FAILED job can be retried; it is ${job.state}.`;
  if (job.retryCount >= job.retryPolicy.maxRetries) {
    return `All ${job.retryPolicy.maxRetries} retries have been used.`;
  }
  // Nothing but its total timeout ends a job so. A clock that is behind the one that ended it must
  // not let a HELD one start.
  if (job.attempt === 0) return "Its total timeout passed before it could start.";
  if (job.purgeAt !== null && now >= job.purgeAt) return "Its time to be removed has come.";
  if (hasOutlived(job, now)) return "Its total timeout has passed.";
  return null;
};

export const canCancelWorkflow = ({ endedAt, cancelRequestedAt }: WorkflowRow): boolean =>
  endedAt === null && cancelRequestedAt === null;

/**
 * Why no step of a workflow can be retried by hand, as far as its own row tells; null if it says
 * nothing against it.
 */
export const whyWorkflowNotRetryable = (workflow: WorkflowRow, now: Millis): string | null => {
  const { failed, endedAt, purgeAt, cancelRequestedAt } = workflow;
  if (endedAt === null && cancelRequestedAt !== null) return "The workflow is being cancelled.";
  if (purgeAt !== null && now >= purgeAt) return "Its time to be removed has come.";
  return failed === 0 ? "No step of it has failed." : null;
};
