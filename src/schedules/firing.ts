import { JobFault } from "../jobs/errors.ts";
import type { Millis } from "../jobs/job.ts";
import type { ScheduleRow } from "../jobs/schedule.ts";
import type { Submission } from "../jobs/submission.ts";
import type { Clock } from "../runtime/clock.ts";
import { every } from "../runtime/every.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import { fire, giveUp, type Run } from "../shard/commands/fire.ts";
import type { ShardRouter } from "../shard/owner.ts";
import type { ScheduleStore, ShardId } from "../store/store.ts";
import { type Plan, planOf } from "./plan.ts";

/** Fires whatever has become due since; a job is at most so much late while the server keeps up. */
const ROUND_MS = 1_000;
/** Of one read. A schedule holds up to 512 KiB. */
const READ = 100;
/** Reads of one round: what is due beyond them waits for the next, the longest overdue first. */
const READS_PER_ROUND = 10;
/** So many are prepared at once: each looks up its users and its type. */
const AT_ONCE = 10;
/** Jobs of one commit; what is to be caught up beyond them follows in the next round. */
const JOBS_AT_ONCE = 20;

const UNKNOWN_TIMES = "This server cannot tell its times any more: check cron and time zone.";

/** Null: what was a time zone or an expression when it was made is none to this server. */
const planned = (schedule: ScheduleRow, now: Millis): Plan | null => {
  try {
    return planOf(schedule, now);
  } catch {
    return null;
  }
};

/** What a schedule submits now: a job, nothing for this time, or nothing until somebody mends it. */
export type Prepared =
  | { readonly kind: "job"; readonly submission: Submission }
  | { readonly kind: "refused"; readonly fault: JobFault }
  | { readonly kind: "may-not"; readonly reason: string };

export type FiringOptions = {
  readonly schedules: Pick<ScheduleStore, "due">;
  readonly router: ShardRouter;
  /** The shards that this server owns now. */
  readonly owned: () => readonly ShardId[];
  /** Checks what the schedule submits as it stands now; each answer is a job of its own. */
  readonly prepare: (schedule: ScheduleRow) => Promise<Prepared>;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Fires the schedules of the shards that this server owns. Holds nothing: what is due stands in the
 * database, and the owner of the shard decides, in one commit with the jobs, whether it still is.
 */
export const createFiring = (options: FiringOptions): Service => {
  const { schedules, router, owned, prepare, clock, log } = options;

  const fireOne = async (schedule: ScheduleRow): Promise<void> => {
    const owner = router.ownerOf(schedule.organizationId);
    const plan = planned(schedule, clock.now());
    if (plan === null) {
      await owner.perform(giveUp(schedule, UNKNOWN_TIMES));
      return;
    }
    const now = plan.times.slice(0, JOBS_AT_ONCE);
    const runs: Run[] = [];
    for (const at of now) {
      const prepared = await prepare(schedule);
      if (prepared.kind === "may-not") {
        await owner.perform(giveUp(schedule, prepared.reason));
        return;
      }
      runs.push({ at, submission: prepared.kind === "job" ? prepared.submission : prepared.fault });
    }
    const rest: Millis | undefined = plan.times[now.length];
    const next =
      rest === undefined
        ? { nextFireAt: plan.next, pendingFrom: null }
        : { nextFireAt: clock.now(), pendingFrom: rest };
    await owner.perform(fire({ read: schedule, runs, next }));
  };

  /** False if it stays due. */
  const tried = async (schedule: ScheduleRow): Promise<boolean> => {
    try {
      await fireOne(schedule);
      return true;
    } catch (caught) {
      const { organizationId, id } = schedule;
      const away = caught instanceof JobFault && caught.reason === "SHARD_UNAVAILABLE";
      const facts = { err: caught, organization: organizationId, schedule: id };
      if (away) log.debug(facts, "a schedule is fired later: its shard is away");
      else log.warn(facts, "a schedule could not be fired; it is tried again");
      return false;
    }
  };

  const round = async (): Promise<void> => {
    // What could not be fired would be read again and again, before all that is due in other shards.
    const stuck = new Set<ShardId>();
    for (let reads = 0; reads < READS_PER_ROUND; reads += 1) {
      const shards = owned().filter((shardId) => !stuck.has(shardId));
      if (shards.length === 0) return;
      const due = await schedules.due(shards, clock.now(), READ);
      for (let at = 0; at < due.length; at += AT_ONCE) {
        const some = due.slice(at, at + AT_ONCE);
        const fired = await Promise.all(some.map(tried));
        some.forEach(({ organizationId }, index) => {
          if (fired[index] === false) stuck.add(router.shardOf(organizationId));
        });
      }
      if (due.length < READ) return;
    }
  };

  const rounds = every({ clock, log, name: "firing of schedules", ms: ROUND_MS, run: round });
  return {
    start: async () => {
      rounds.start();
      await Promise.resolve();
    },
    stop: async () => await rounds.stop(),
  };
};
