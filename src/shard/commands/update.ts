import { end } from "../../jobs/attempt-end.ts";
import type { Actor } from "../../jobs/audit.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import type { JobId, OrganizationId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { AttemptReport } from "../../jobs/report.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";
import { bytesOf, isToStop, noted } from "./report.ts";

/** A report on a running job by its reference (row D6): from whoever does the work, or stands for it. */
export type JobUpdate = Pick<AttemptReport, "progress" | "output" | "ending"> & {
  readonly organizationId: OrganizationId;
  readonly jobId: JobId;
  /** The attempt that is spoken of; 0: the newest. */
  readonly attempt: number;
  /** Counts from 1 within an attempt, in a lane of its own beside the runner's reports. */
  readonly seq: number;
  readonly by: Actor;
};

export type Updated = { readonly job: JobRow; readonly cancelRequested: boolean };

/**
 * Takes in one report. A repeated one is answered alike and changes nothing. Ends the attempt also
 * of a job that a runner runs: the runner learns at its next sync that it has lost it.
 * Refuses with JOB_NOT_FOUND, LEASE_LOST for an attempt that is not the newest, JOB_NOT_RUNNING.
 */
export const update = (one: JobUpdate): Command<Updated | JobFault> => ({
  weight: 1 + one.output.length,
  bytes: bytesOf({ ...one, steps: [] }),
  want: (state, wanted) => {
    const { organizationId, jobId: id } = one;
    if (state.find(organizationId, id) === undefined) wanted.jobs.push({ organizationId, id });
  },
  apply: (turn) => updateOne(turn, one),
});

const updateOne = (turn: Turn, one: JobUpdate): Updated | JobFault => {
  const { organizationId, jobId, ending } = one;
  const row = turn.row(organizationId, jobId);
  if (row === null) return jobNotFound(jobId);
  if (one.attempt !== 0 && one.attempt !== row.attempt) return notNewest(row, one.attempt);
  // A job that waits for its next attempt still shows the one before: a repetition is of that one.
  if (one.seq <= row.updateSeq) return { job: row, cancelRequested: isToStop(row) };
  const job = turn.state.find(organizationId, jobId);
  if (job === undefined || row.state !== "RUNNING") return notRunning(row);

  turn.change(job, { updateSeq: one.seq, ...noted(turn, job, one) });
  if (ending !== null) {
    const { patch, attempt } = end(job.row, ending, turn.now, turn.random());
    turn.change(job, patch);
    turn.attempts.push(attempt);
    const details = JSON.stringify({ attempt: attempt.attempt, outcome: attempt.outcome });
    turn.audit(organizationId, { actor: one.by, action: "job.update", subject: jobId, details });
  }
  return { job: job.row, cancelRequested: isToStop(job.row) };
};

const notNewest = ({ id, attempt }: JobRow, given: number): JobFault =>
  new JobFault("LEASE_LOST", `The newest attempt is ${attempt}, not ${given}. Stop the work.`, {
    metadata: { job_id: id, attempt: String(given) },
  });

const notRunning = ({ id, state }: JobRow): JobFault =>
  new JobFault("JOB_NOT_RUNNING", `Only a RUNNING job takes reports; it is ${state}.`, {
    metadata: { job_id: id, state },
  });
