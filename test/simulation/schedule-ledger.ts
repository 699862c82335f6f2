import type { JobRow } from "../../src/jobs/job.ts";
import type { ScheduleRow } from "../../src/jobs/schedule.ts";
import { newestTimes, nextTime } from "../../src/schedules/cron.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";

/** More than any schedule fires between two commits of one history. */
const MANY = 1_000;

/**
 * Schedules, commit by commit: every time fires once, in the commit that makes its job, whoever
 * owns the shard. No history keeps a shard down for as long as a time may be late, so that none is
 * ever missed.
 */
export class ScheduleLedger {
  readonly schedules = new Map<string, ScheduleRow>();
  fired = 0;

  committed({ schedules, inserted }: ShardChanges): void {
    const jobs = Map.groupBy(inserted, (row) => row.scheduleId);
    for (const row of schedules) {
      const before = this.schedules.get(row.id);
      this.schedules.set(row.id, row);
      this.#check(before, row, jobs.get(row.id) ?? []);
      jobs.delete(row.id);
    }
    jobs.delete("");
    for (const id of jobs.keys()) broken("a schedule's job and its time are one commit", { id });
  }

  #check(before: ScheduleRow | undefined, row: ScheduleRow, jobs: readonly JobRow[]): void {
    const fired = row.fireCount - (before?.fireCount ?? 0);
    if (fired !== jobs.length) {
      broken("a schedule counts its jobs", { id: row.id, fired, jobs: jobs.length });
    }
    if (fired === 0) return;
    this.fired += fired;
    const from = before?.pendingFrom ?? before?.nextFireAt ?? null;
    const until = row.lastFireAt;
    if (from === null || until === null) return broken("only due schedules fire", { id: row.id });
    const times = newestTimes(row, { from, until }, MANY);
    if (times.length !== fired || times[0] !== from) {
      broken("every time of a schedule fires once", { id: row.id, from, until, fired });
    }
    if (row.pausedAt === null && (row.pendingFrom ?? row.nextFireAt) !== nextTime(row, until)) {
      broken("no time of a schedule is left out", { id: row.id, until, next: row.nextFireAt });
    }
  }
}
