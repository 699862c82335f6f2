import type { Actor } from "../../jobs/audit.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import type { JobId, OrganizationId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import { whyNotRetryable } from "../../jobs/permissions.ts";
import { retryByHand } from "../../jobs/transitions.ts";
import { whyNotAdmitted } from "../admission.ts";
import type { Command } from "./command.ts";

/**
 * Gives a failed job another attempt. Refuses with JOB_NOT_FOUND or JOB_NOT_RETRYABLE, and as a new
 * job would be: with QUEUE_FULL, or JOB_CONFLICT if its policy is REJECT.
 */
export const retry = (
  organizationId: OrganizationId,
  id: JobId,
  by: Actor,
): Command<JobRow | JobFault> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    wanted.jobs.push({ organizationId, id });
    if (state.organization(organizationId) === undefined) {
      wanted.organizations.push(organizationId);
    }
  },
  apply: (turn) => {
    const row = turn.row(organizationId, id);
    if (row === null) return jobNotFound(id);
    const obstacle = whyNotRetryable(row, turn.now);
    if (obstacle !== null) {
      return new JobFault("JOB_NOT_RETRYABLE", obstacle, {
        metadata: { job_id: id, state: row.state },
      });
    }
    const organization = turn.state.organization(organizationId);
    const refusal = organization === undefined ? null : whyNotAdmitted(organization, row);
    if (refusal !== null) return refusal;
    turn.audit(organizationId, { actor: by, action: "job.retry", subject: id, details: null });
    return turn.revive(row, retryByHand(row, turn.now));
  },
});
