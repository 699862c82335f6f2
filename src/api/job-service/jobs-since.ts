import type { JobId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { JobFilter } from "../../store/store.ts";
import {
  advance,
  coveredBy,
  coveredThrough,
  later,
  type OrganizationCursor,
  type Position,
  sentInSnapshot,
  startAt,
  unsent,
} from "../watch/organization-cursor.ts";
import type { Call } from "./api.ts";

/** Reads for those who watch many jobs. Both take note of the revision before they read the jobs. */
const PAGE = 500;

/** Jobs to send, and the cursor once they have been. */
export type Sending = { readonly jobs: readonly JobRow[]; readonly cursor: OrganizationCursor };

/** Everything that changed since the cursor, as the store has it now. */
export async function* catchUp(
  { api, place }: Call,
  filter: JobFilter,
  from: OrganizationCursor,
): AsyncGenerator<Sending> {
  // Read first: whatever this revision speaks of is durable, so that the reads below find it.
  const { current } = await api.jobs.revision(place.shardId);
  let cursor = from;
  for (;;) {
    const rows = await api.jobs.changedSince(place, filter, asKey(cursor.position), PAGE);
    const last = rows.at(-1);
    const jobs = unsent(cursor, rows);
    const done = rows.length < PAGE;
    const reached = last === undefined ? cursor.position : coveredBy(last);
    cursor = advance(cursor, done ? later(reached, coveredThrough(current)) : reached);
    yield { jobs, cursor };
    if (done) return;
  }
}

const asKey = ({
  revision,
  id,
}: Position): { readonly revision: number; readonly id: JobId | "" } => ({
  revision,
  id: id as JobId | "",
});

/** All jobs that match now, newest first, in pages; the cursor goes on from before the first read. */
export async function* snapshot(
  { api, place }: Call,
  filter: JobFilter,
): AsyncGenerator<Sending & { readonly complete: boolean }> {
  const { current } = await api.jobs.revision(place.shardId);
  let cursor = startAt(coveredThrough(current));
  let before: JobId | null = null;
  for (;;) {
    const jobs: readonly JobRow[] = await api.jobs.list(place, filter, before, PAGE);
    cursor = sentInSnapshot(cursor, jobs);
    const complete = jobs.length < PAGE;
    yield { jobs, cursor, complete };
    if (complete) return;
    before = jobs.at(-1)?.id ?? null;
  }
}
