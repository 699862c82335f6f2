import type { JobRow } from "../jobs/job.ts";
import type { Charge } from "./contender.ts";
import type { Organization } from "./organization.ts";
import type { ReadyQueue } from "./ready-queue.ts";

/**
 * A job that has not ended, as the owner of its shard holds it: its row, and where it waits. There
 * may be millions: every field costs each of them 8 bytes.
 */
export class ActiveJob {
  row: JobRow;
  readonly organization: Organization;
  /** The queue that holds it, of its lane or of its key; null unless it is QUEUED. */
  queue: ReadyQueue | null = null;
  /** Lower goes first among equals. */
  seat = 0;
  /** In its queue. */
  position = -1;
  /** When its timer fires; Infinity if it has none. Timer entries for other times are stale. */
  wakeAt = Number.POSITIVE_INFINITY;
  /** What its organization was charged for the running attempt; null if this owner did not start it. */
  charge: Charge | null = null;

  constructor(row: JobRow, organization: Organization) {
    this.row = row;
    this.organization = organization;
  }
}
