import type { Actor } from "../../jobs/audit.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import type { JobId, OrganizationId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import { askToCancel, type Cancellation, cancelNow } from "../../jobs/transitions.ts";
import type { ActiveJob } from "../active-job.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/**
 * Ends a job that waits; asks for the end of one that runs. Asking twice changes nothing.
 * Refuses with JOB_NOT_FOUND or JOB_NOT_CANCELLABLE.
 */
export const cancel = (
  organizationId: OrganizationId,
  id: JobId,
  { reason, by }: { readonly reason: string; readonly by: Actor },
): Command<JobRow | JobFault> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    if (state.find(organizationId, id) === undefined) wanted.jobs.push({ organizationId, id });
  },
  apply: (turn) => {
    const job = turn.state.find(organizationId, id);
    if (job === undefined) {
      const row = turn.row(organizationId, id);
      if (row === null) return jobNotFound(id);
      return new JobFault("JOB_NOT_CANCELLABLE", `The job has ended: it is ${row.state}.`, {
        metadata: { job_id: id, state: row.state },
      });
    }
    if (job.row.cancelRequestedAt !== null) return job.row;
    turn.audit(organizationId, { actor: by, action: "job.cancel", subject: id, details: null });
    return cancelOne(turn, job, { reason, by: by.userId });
  },
});

/**
 * Ends a job that waits; asks for the end of one that runs, unless somebody has. Its children go with
 * it, and what it submits from now on when it ends, once the turn is settled (settle-families.ts).
 */
export const cancelOne = (turn: Turn, job: ActiveJob, cancellation: Cancellation): JobRow => {
  const { row } = job;
  if (row.cancelRequestedAt !== null) return row;
  if (row.state !== "RUNNING") return turn.change(job, cancelNow(row, cancellation, turn.now));
  turn.toStop.push(job);
  return turn.change(job, askToCancel(row, cancellation, turn.now));
};

export const WITH_PARENT: Cancellation = {
  reason: "The job that submitted it was cancelled.",
  by: "",
};
