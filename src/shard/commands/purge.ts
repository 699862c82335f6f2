import type { JobRow } from "../../jobs/job.ts";
import type { PurgedJob } from "../../store/store.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/** What retention takes of a job: all of it, or only these rows of its output. */
export type Removal = {
  readonly job: PurgedJob;
  /** Sequence numbers; null: the job, with all that belongs to it. */
  readonly output: readonly number[] | null;
};

/** Rows of a job, its labels, spec, attempt and request. */
const ROWS_OF_A_JOB = 5;

/** As it was read, and still to be removed: not retried, not ended again, not made anew. */
const standsAsRead = (row: JobRow | null, { job }: Removal, now: number): boolean =>
  row !== null && row.revision === job.revision && row.purgeAt !== null && row.purgeAt <= now;

/** Removes ended jobs whose time has come. Answers with how many it removed as a whole. */
export const purge = (removals: readonly Removal[]): Command<number> => ({
  weight: removals.reduce((rows, { job, output }) => rows + rowsOf(job, output), 0),
  bytes: 0,
  want: (_state, wanted) => {
    for (const { job } of removals) {
      wanted.jobs.push({ organizationId: job.organizationId, id: job.id });
    }
  },
  apply: (turn) => removals.reduce((count, removal) => count + remove(turn, removal), 0),
});

const rowsOf = (job: PurgedJob, output: readonly number[] | null): number =>
  output === null ? ROWS_OF_A_JOB + job.outputCount : output.length;

const remove = (turn: Turn, removal: Removal): number => {
  const { job, output } = removal;
  const { organizationId, id } = job;
  if (!standsAsRead(turn.row(organizationId, id), removal, turn.now)) return 0;
  if (output === null) {
    turn.purge(job);
    return 1;
  }
  for (const seq of output) turn.purgedOutput.push({ organizationId, jobId: id, seq });
  return 0;
};
