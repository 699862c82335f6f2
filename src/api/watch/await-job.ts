import { jobNotFound } from "../../jobs/errors.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { JobReader, Place } from "../../store/store.ts";
import type { Follower } from "./follow.ts";
import { LATE, within } from "./within.ts";

export type Awaiting = {
  readonly place: Place;
  /** Opened before `start` was read. */
  readonly follower: Follower;
  readonly start: JobRow;
  readonly until: (row: JobRow) => boolean;
  readonly waitMs: number;
  readonly signal: AbortSignal;
};

/** The newest state, by then or as soon as `until` is true of it; also when the server stops. */
export const awaitJob = async (
  {
    jobs,
    clock,
    shutdown,
  }: {
    readonly jobs: Pick<JobReader, "find">;
    readonly clock: Clock;
    readonly shutdown: AbortSignal;
  },
  { place, follower, start, until, waitMs, signal }: Awaiting,
): Promise<JobRow> => {
  const deadline = clock.monotonic() + waitMs;
  let row = start;
  while (!until(row)) {
    const left = deadline - clock.monotonic();
    if (left <= 0 || shutdown.aborted) return row;
    try {
      const change = await within(follower.next(signal), left, clock);
      if (change === LATE) return row;
      const seen: JobRow | null | undefined =
        change.kind === "reread"
          ? await jobs.find(place, row.id)
          : change.commit.jobs.find(({ id }) => id === row.id);
      if (seen === null) throw jobNotFound(row.id);
      if (seen !== undefined && seen.revision > row.revision) row = seen;
    } catch (caught) {
      // Who waits for a job is better served with the job as it is than with an error.
      if (shutdown.aborted) return row;
      throw caught;
    }
  }
  return row;
};
