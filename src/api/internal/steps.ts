import { JobFault } from "../../jobs/errors.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { AttemptRef, StepResult } from "../../jobs/report.ts";
import { isAttemptOf, leaseLost } from "../../shard/commands/report.ts";
import type { JobReader, Place } from "../../store/store.ts";

const BEHIND_RETRY_MS = 100;

/**
 * The job, as it stands in this attempt or after.
 * @throws JobFault LEASE_LOST; SHARD_UNAVAILABLE if the database does not show the attempt yet
 */
export const findAttempt = async (
  jobs: Pick<JobReader, "find">,
  place: Place,
  ref: AttemptRef,
): Promise<JobRow> => {
  const row = await jobs.find(place, ref.jobId);
  if (row === null || row.attempt > ref.attempt) throw leaseLost(ref);
  if (row.attempt < ref.attempt) {
    throw new JobFault("SHARD_UNAVAILABLE", "The database does not show this attempt yet.", {
      retryAfterMs: BEHIND_RETRY_MS,
    });
  }
  if (!isAttemptOf(row, ref)) throw leaseLost(ref);
  return row;
};

/**
 * The steps that ended before this attempt began. The job is read first: a database that shows the
 * attempt shows everything that was committed before it, so no step of an earlier attempt is missed.
 * @throws JobFault as `findAttempt` does
 */
export const readSteps = async (
  jobs: Pick<JobReader, "find" | "steps">,
  place: Place,
  ref: AttemptRef,
): Promise<StepResult[]> => {
  await findAttempt(jobs, place, ref);
  return await jobs.steps(place, ref.jobId);
};
