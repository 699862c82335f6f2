import type { Millis } from "../jobs/job.ts";
import { LIMITS } from "../jobs/limits.ts";
import type { ScheduleRow } from "../jobs/schedule.ts";
import { newestTimes, nextTime } from "./cron.ts";

/**
 * A time that fires late by no more than this was not missed. A shard whose owner died is served
 * again within 15 s (row H6); the rest is for a server that was slow or restarted.
 */
export const GRACE_MS = 60_000;

/** What a schedule whose time has come is to do. */
export type Plan = {
  /** A job for each, oldest first. */
  readonly times: readonly Millis[];
  /** When it fires next; null if no time is left. */
  readonly next: Millis | null;
};

/** `schedule.nextFireAt` has come. */
export const planOf = (schedule: ScheduleRow, now: Millis): Plan => {
  const from = schedule.pendingFrom ?? schedule.nextFireAt ?? now;
  const passed = newestTimes(schedule, { from, until: now }, LIMITS.catchUpJobs);
  const missed = passed.filter((time) => time < now - GRACE_MS);
  const onTime = passed.slice(missed.length);
  return { times: [...caughtUp(schedule, missed), ...onTime], next: nextTime(schedule, now) };
};

const caughtUp = ({ catchUp }: ScheduleRow, missed: readonly Millis[]): readonly Millis[] => {
  switch (catchUp) {
    case "SKIP":
      return [];
    case "ONCE":
      return missed.slice(-1);
    case "ALL":
      return missed;
  }
};
