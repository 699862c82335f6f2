import type { Actor } from "../../jobs/audit.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import type { JobId, OrganizationId } from "../../jobs/ids.ts";
import type { JobRow, Millis } from "../../jobs/job.ts";
import { whyNotRetryable, whyWorkflowNotRetryable } from "../../jobs/permissions.ts";
import { retryByHand } from "../../jobs/transitions.ts";
import type { ActiveWorkflow } from "../active-workflow.ts";
import { whyNotAdmitted } from "../admission.ts";
import { revive, revivedBy, workflowOf } from "../revival.ts";
import { settle, settleWorkflow } from "../settle.ts";
import type { Command } from "./command.ts";

/** A step is read with all of its workflow: only so many in one batch. */
const WEIGHT = 10;

/**
 * Gives a failed job another attempt; a step of a workflow also lets those wait again that were
 * cancelled because of it. Refuses with JOB_NOT_FOUND or JOB_NOT_RETRYABLE, and as new jobs would
 * be: with QUEUE_FULL, or JOB_CONFLICT if its policy is REJECT.
 */
export const retry = (
  organizationId: OrganizationId,
  id: JobId,
  by: Actor,
): Command<JobRow | JobFault> => ({
  weight: WEIGHT,
  bytes: 0,
  want: (state, wanted) => {
    wanted.jobs.push({ organizationId, id });
    wanted.whole.push({ organizationId, by: "job", name: id });
    if (state.organization(organizationId) === undefined) {
      wanted.organizations.push(organizationId);
    }
  },
  apply: (turn) => {
    settle(turn);
    const row = turn.row(organizationId, id);
    if (row === null) return jobNotFound(id);
    const { workflowId } = row;
    if (workflowId !== "") settleWorkflow(turn, { organizationId, id: workflowId });
    const workflow = workflowOf(turn, row);
    const obstacle = whyNotRetryable(row, turn.now) ?? whyNotOf(workflow, turn.now);
    if (obstacle !== null) {
      return new JobFault("JOB_NOT_RETRYABLE", obstacle, {
        metadata: { job_id: id, state: row.state },
      });
    }
    const steps = workflow === null ? [] : revivedBy(turn, [workflow.step(id)]);
    const organization = turn.state.organization(organizationId);
    const refusal =
      organization === undefined
        ? null
        : whyNotAdmitted(organization, row, Math.max(0, steps.length - 1));
    if (refusal !== null) return refusal;
    turn.audit(organizationId, { actor: by, action: "job.retry", subject: id, details: null });
    if (workflow === null) return turn.revive(row, retryByHand(row, false, turn.now));
    revive(turn, workflow, steps);
    return turn.row(organizationId, id) ?? row;
  },
});

const whyNotOf = (workflow: ActiveWorkflow | null, now: Millis): string | null =>
  workflow === null ? null : whyWorkflowNotRetryable(workflow.row, now);
