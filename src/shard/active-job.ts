import type { JobRow } from "../jobs/job.ts";
import type { Organization } from "./organization.ts";
import type { ReadyQueue } from "./ready-queue.ts";

/** A job that has not ended, as the owner of its shard holds it: its row, and where it waits. */
export class ActiveJob {
  row: JobRow;
  readonly organization: Organization;
  /** The queue that holds it; null unless it is QUEUED. Entries of other queues are stale. */
  queue: ReadyQueue | null = null;
  /** When its timer fires; Infinity if it has none. Timer entries for other times are stale. */
  wakeAt = Number.POSITIVE_INFINITY;

  constructor(row: JobRow, organization: Organization) {
    this.row = row;
    this.organization = organization;
  }
}
