import type { Millis } from "./job.ts";
import type { WorkflowRow } from "./workflow.ts";

/** What may be done with a workflow as it stands; permissions.ts is the same for a job. */
export const canCancelWorkflow = ({ state, cancelRequestedAt }: WorkflowRow): boolean =>
  state === "RUNNING" && cancelRequestedAt === null;

/**
 * Why a workflow cannot be retried, in one sentence; null if it can, as far as it knows: each of its
 * failed jobs has conditions of its own.
 */
export const whyWorkflowNotRetryable = (workflow: WorkflowRow, now: Millis): string | null => {
  if (workflow.failed === 0) return "Only a workflow with a FAILED step can be retried.";
  if (workflow.cancelRequestedAt !== null) return "It was cancelled.";
  if (workflow.purgeAt !== null && now >= workflow.purgeAt) {
    return "Its time to be removed has come.";
  }
  return null;
};
