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

export const rowsOf = (job: PurgedJob, output: readonly number[] | null): number =>
  output === null ? ROWS_OF_A_JOB + job.outputCount : output.length;

const remove = (turn: Turn, removal: Removal): number => {
  const { organizationId, id } = removal.job;
  const row = turn.row(organizationId, id);
  const isDue = row !== null && row.purgeAt !== null && row.purgeAt <= turn.now;
  return isDue ? removeAsRead(turn, removal) : 0;
};

/** Not if it was retried, has ended again, or was made anew since it was read, or is to be settled. */
export const removeAsRead = (turn: Turn, { job, output }: Removal): number => {
  const { organizationId, id } = job;
  const row = turn.row(organizationId, id);
  if (row === null || row.endedAt === null || row.revision !== job.revision) return 0;
  if (turn.state.unsettled.find(organizationId, id) !== undefined) return 0;
  if (output === null) {
    turn.purge(job);
    return 1;
  }
  for (const seq of output) turn.removals.output.push({ organizationId, jobId: id, seq });
  return 0;
};
