/** Workflows as wholes. Their steps are jobs, and cancelled and retried as such by other commands. */
import type { Actor } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { OrganizationId, WorkflowId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { WorkflowRow } from "../../jobs/workflow.ts";
import type { WorkflowSubmission } from "../../jobs/workflow-submission.ts";
import type { WorkflowRows } from "../../store/store.ts";
import type { Command } from "./command.ts";

export type WorkflowSubmitted = {
  readonly rows: WorkflowRows;
  /** By position. */
  readonly jobs: readonly JobRow[];
  /** False if its request was known already. */
  readonly created: boolean;
};

const later = <Outcome>(): Command<Outcome | JobFault> => ({
  weight: 1,
  bytes: 0,
  want: () => {},
  apply: () => new JobFault("NOT_SUPPORTED", "Workflows are not served yet."),
});

/**
 * Takes in all jobs of a workflow, or none. Refuses with REQUEST_ID_REUSED, WORKFLOW_NOT_FOUND (the
 * workflow of the request has been removed), WORKFLOW_ALREADY_EXISTS, JOB_ALREADY_EXISTS,
 * QUEUE_FULL, and with the refusal of a step.
 */
export const submitWorkflow = (
  _submission: WorkflowSubmission,
): Command<WorkflowSubmitted | JobFault> => later();

/**
 * Ends all jobs of it that wait, and asks for the end of those that run; nothing of it starts any
 * more. Asking twice changes nothing. Refuses with WORKFLOW_NOT_FOUND, WORKFLOW_NOT_CANCELLABLE.
 */
export const cancelWorkflow = (
  _organizationId: OrganizationId,
  _id: WorkflowId,
  _request: { readonly reason: string; readonly by: Actor },
): Command<WorkflowRow | JobFault> => later();

/**
 * Gives its failed jobs another attempt, as far as they may have one, and lets what they blocked
 * wait for them again. Refuses with WORKFLOW_NOT_FOUND, WORKFLOW_NOT_RETRYABLE, QUEUE_FULL.
 */
export const retryWorkflow = (
  _organizationId: OrganizationId,
  _id: WorkflowId,
  _by: Actor,
): Command<WorkflowRow | JobFault> => later();
