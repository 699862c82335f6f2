import { z } from "zod";

import type { JobId } from "../../jobs/ids.ts";
import type { JobRow, OutputRow } from "../../jobs/job.ts";
import { hasEnded } from "../../jobs/states.ts";
import type { Commit } from "../../shard/owner.ts";

/** How much of one job a watcher has been sent: the row of that revision, and the output before `nextSeq`. */
export const JOB_CURSOR = z.object({
  revision: z.number().int().min(0),
  nextSeq: z.number().int().min(0),
});

/**
 * As a resume token has it. `createdAt` tells the job from a later one for which a client chose the
 * same id, after retention had removed the first.
 */
export const JOB_TOKEN = JOB_CURSOR.extend({ jobId: z.string(), createdAt: z.number() });

export type JobCursor = Readonly<z.output<typeof JOB_CURSOR>>;

export const FROM_THE_START: JobCursor = { revision: 0, nextSeq: 0 };

/** What a watcher is to be sent next. `job` is null if it has that row already. */
export type JobNews = {
  readonly job: JobRow | null;
  readonly output: readonly OutputRow[];
  readonly cursor: JobCursor;
};

/** A cursor from a future that the database does not know, as after a restored backup. */
export const isAhead = (cursor: JobCursor, row: JobRow): boolean =>
  cursor.revision > row.revision || cursor.nextSeq > row.outputCount;

/** The cursor once `row`, and all output that it counts, has been sent. */
const after = (row: JobRow): JobCursor => ({ revision: row.revision, nextSeq: row.outputCount });

/** News from the row as the store has it, if its output from `cursor.nextSeq` on is sent along. */
export const newsOfRow = (
  cursor: JobCursor,
  row: JobRow,
  output: readonly OutputRow[],
): JobNews => ({
  job: row.revision > cursor.revision ? row : null,
  output,
  cursor: after(row),
});

/**
 * News from a commit, without what the cursor covers. "gap" when rows before it were missed: the
 * store has them. Commits come in the order of their revisions.
 */
export const newsOfCommit = (
  cursor: JobCursor,
  commit: Commit,
  id: JobId,
): JobNews | "gap" | null => {
  if (commit.revision <= cursor.revision) return null;
  const row = commit.jobs.find((job) => job.id === id);
  if (row === undefined) return null;
  const output = commit.output.filter(({ jobId, seq }) => jobId === id && seq >= cursor.nextSeq);
  const complete = output.every(({ seq }, index) => seq === cursor.nextSeq + index);
  if (!complete || cursor.nextSeq + output.length !== row.outputCount) return "gap";
  return { job: row, output, cursor: after(row) };
};

/** Nothing more is to be said: the end of the job, and all of its output, has been. */
export const isOver = (cursor: JobCursor, row: JobRow): boolean =>
  hasEnded(row.state) && cursor.revision >= row.revision && cursor.nextSeq >= row.outputCount;
