/** Workflows as wholes. Their steps are jobs, and cancelled and retried as such by other commands. */
import type { Actor } from "../../jobs/audit.ts";
import { JobFault, workflowNotFound } from "../../jobs/errors.ts";
import type { OrganizationId, WorkflowId } from "../../jobs/ids.ts";
import { whyNotRetryable, whyWorkflowNotRetryable } from "../../jobs/permissions.ts";
import type { WorkflowRow } from "../../jobs/workflow.ts";
import type { ActiveWorkflow, Step } from "../active-workflow.ts";
import { whyNotAdmitted } from "../admission.ts";
import { findWorkflow, revive, revivedBy } from "../revival.ts";
import { settleWorkflow } from "../settle.ts";
import type { Turn } from "../turn.ts";
import { cancelOne } from "./cancel.ts";
import type { Command } from "./command.ts";

export { submitWorkflow, type WorkflowSubmitted } from "./submit-workflow.ts";

/** A workflow is read with all of its jobs: only so many in one batch. */
const WHOLE_WEIGHT = 200;

/**
 * Ends all jobs of it that wait, and asks for the end of those that run; nothing of it starts any
 * more. Asking twice changes nothing. Refuses with WORKFLOW_NOT_FOUND, WORKFLOW_NOT_CANCELLABLE.
 */
export const cancelWorkflow = (
  organizationId: OrganizationId,
  id: WorkflowId,
  { reason, by }: { readonly reason: string; readonly by: Actor },
): Command<WorkflowRow | JobFault> => ({
  weight: WHOLE_WEIGHT,
  bytes: 0,
  want: (state, wanted) => {
    const key = { organizationId, id };
    if (state.workflows.find(key) === undefined) wanted.workflows.push(key);
  },
  apply: (turn) => {
    // Its last step may have ended in this turn.
    const key = { organizationId, id };
    settleWorkflow(turn, key);
    const workflow = findWorkflow(turn, key);
    if (workflow === null) return workflowNotFound(id);
    const { state, endedAt, cancelRequestedAt } = workflow.row;
    if (endedAt !== null) {
      return new JobFault("WORKFLOW_NOT_CANCELLABLE", `The workflow has ended: it is ${state}.`, {
        metadata: { workflow_id: id, state },
      });
    }
    if (cancelRequestedAt !== null) return workflow.row;
    turn.audit(organizationId, {
      actor: by,
      action: "workflow.cancel",
      subject: id,
      details: null,
    });
    const cancellation = { reason, by: by.userId };
    workflow.row = {
      ...workflow.row,
      cancelRequestedAt: turn.now,
      cancelReason: reason,
      cancelledBy: by.userId,
      revision: turn.revision,
      updatedAt: turn.now,
    };
    turn.workflows.put(workflow.row);
    for (const { row } of workflow.steps) {
      const job = turn.state.find(organizationId, row.jobId);
      if (job !== undefined) cancelOne(turn, job, cancellation);
    }
    settleWorkflow(turn, key);
    return workflow.row;
  },
});

const notRetryable = (id: WorkflowId, why: string): JobFault =>
  new JobFault("WORKFLOW_NOT_RETRYABLE", why, { metadata: { workflow_id: id } });

/**
 * Gives its failed jobs another attempt, as far as they may have one, and lets what they blocked
 * wait for them again. Refuses with WORKFLOW_NOT_FOUND, WORKFLOW_NOT_RETRYABLE, QUEUE_FULL.
 */
export const retryWorkflow = (
  organizationId: OrganizationId,
  id: WorkflowId,
  by: Actor,
): Command<WorkflowRow | JobFault> => ({
  weight: WHOLE_WEIGHT,
  bytes: 0,
  want: (state, wanted) => {
    wanted.whole.push({ organizationId, by: "id", name: id });
    if (state.organization(organizationId) === undefined) {
      wanted.organizations.push(organizationId);
    }
  },
  apply: (turn) => {
    const key = { organizationId, id };
    settleWorkflow(turn, key);
    const workflow = findWorkflow(turn, key);
    if (workflow === null) return workflowNotFound(id);
    const why = whyWorkflowNotRetryable(workflow.row, turn.now);
    if (why !== null) return notRetryable(id, why);
    const failed = retryableSteps(turn, workflow);
    if (failed instanceof JobFault) return failed;
    const steps = revivedBy(turn, failed);
    const refusal = whyNoRoom(turn, organizationId, steps);
    if (refusal !== null) return refusal;
    turn.audit(organizationId, {
      actor: by,
      action: "workflow.retry",
      subject: id,
      details: JSON.stringify({ retried: failed.length, revived: steps.length - failed.length }),
    });
    revive(turn, workflow, steps);
    return workflow.row;
  },
});

/** Its failed steps that may have another attempt; a refusal if there are none. */
const retryableSteps = (turn: Turn, workflow: ActiveWorkflow): Step[] | JobFault => {
  let obstacle = "No step of it has failed.";
  const retryable = workflow.steps.filter(({ row }) => {
    const job = turn.row(row.organizationId, row.jobId);
    if (job?.state !== "FAILED") return false;
    const why = whyNotRetryable(job, turn.now);
    if (why !== null) obstacle = `Step "${row.name}" cannot be retried: ${why}`;
    return why === null;
  });
  return retryable.length > 0 ? retryable : notRetryable(workflow.row.id, obstacle);
};

/** As new jobs they need room in the queue, all together. No step has the policy REJECT. */
const whyNoRoom = (
  turn: Turn,
  organizationId: OrganizationId,
  steps: readonly Step[],
): JobFault | null => {
  const organization = turn.state.organization(organizationId);
  const [first] = steps;
  const job = first === undefined ? null : turn.row(organizationId, first.row.jobId);
  if (organization === undefined || job === null) return null;
  return whyNotAdmitted(organization, job, steps.length - 1);
};
