import { z } from "zod";

import type { JobId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { Commit } from "../../shard/owner.ts";

/** All changes before (revision, id) have been sent; in this order the store reads them again. */
export const POSITION = z.object({ revision: z.number().int().min(0), id: z.string() });

/** As a resume token has it: good for the filter with this mark. */
export const POSITION_TOKEN = POSITION.extend({ filter: z.string() });

export type Position = Readonly<z.output<typeof POSITION>>;

/** Where a reader goes on that has seen everything of `revision`. */
export const coveredThrough = (revision: number): Position => ({ revision: revision + 1, id: "" });

/** The later of two places. */
export const later = (a: Position, b: Position): Position =>
  a.revision > b.revision || (a.revision === b.revision && a.id >= b.id) ? a : b;

/** Where a reader goes on after `row`, when rows of the same revision may follow. */
export const coveredBy = (row: JobRow): Position => ({ revision: row.revision, id: row.id });

/**
 * What a watcher of many jobs has been sent. A row may be sent ahead of its turn (a snapshot finds
 * rows newer than the revision that it speaks for); `ahead` remembers those, so that no older
 * state of a job follows a newer one.
 */
export type OrganizationCursor = {
  readonly position: Position;
  readonly ahead: ReadonlyMap<JobId, number>;
};

export const startAt = (position: Position): OrganizationCursor => ({ position, ahead: new Map() });

/** Rows of a snapshot were sent. The snapshot speaks for what lies before the cursor's position. */
export const sentInSnapshot = (
  { position, ahead }: OrganizationCursor,
  rows: readonly JobRow[],
): OrganizationCursor => {
  const newer = rows.filter(({ revision }) => revision >= position.revision);
  if (newer.length === 0) return { position, ahead };
  return {
    position,
    ahead: new Map([...ahead, ...newer.map(({ id, revision }) => [id, revision] as const)]),
  };
};

const forgetBefore = (
  ahead: ReadonlyMap<JobId, number>,
  { revision }: Position,
): ReadonlyMap<JobId, number> =>
  ahead.size === 0 ? ahead : new Map([...ahead].filter(([, sent]) => sent >= revision));

/** The cursor goes on to `position`. */
export const advance = ({ ahead }: OrganizationCursor, position: Position): OrganizationCursor => ({
  position,
  ahead: forgetBefore(ahead, position),
});

/** The rows of a read that were not sent yet. */
export const unsent = (cursor: OrganizationCursor, rows: readonly JobRow[]): JobRow[] =>
  rows.filter(({ id, revision }) => revision > (cursor.ahead.get(id) ?? -1));

/** The rows of a commit that were not sent yet; null if the cursor covers all of it. */
export const newsOfCommit = (
  cursor: OrganizationCursor,
  commit: Commit,
): { readonly jobs: readonly JobRow[]; readonly cursor: OrganizationCursor } | null => {
  const { revision, id } = cursor.position;
  if (commit.revision < revision) return null;
  const rest = commit.revision > revision ? commit.jobs : commit.jobs.filter((job) => job.id > id);
  return {
    jobs: unsent(cursor, rest),
    cursor: advance(cursor, coveredThrough(commit.revision)),
  };
};
