import type { JobRow } from "../jobs/job.ts";
import type { ShardChanges } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";

/** A job that had ended, and of which something else has changed. */
export type AmendedJob = { readonly before: JobRow; readonly after: JobRow };

/** The rows of jobs that a turn writes; `touched` holds the committed row of each, null for a new one. */
export const jobChanges = (
  touched: ReadonlyMap<ActiveJob, JobRow | null>,
  amended: Iterable<AmendedJob>,
): Pick<ShardChanges, "inserted" | "updated" | "before"> => {
  const inserted: JobRow[] = [];
  const updated: JobRow[] = [];
  const behind = new Map<JobRow, JobRow>();
  for (const [{ row }, before] of touched) {
    if (before === null) {
      inserted.push(row);
    } else {
      updated.push(row);
      behind.set(row, before);
    }
  }
  for (const { before, after } of amended) {
    updated.push(after);
    behind.set(after, before);
  }
  return { inserted, updated, before: behind };
};
