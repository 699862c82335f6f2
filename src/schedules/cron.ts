/** When a cron expression fires. Pure: everything is asked for a moment that is given. */
import { Cron } from "croner";
import { LRUCache } from "lru-cache";

import type { Millis } from "../jobs/job.ts";
import type { ScheduleRow } from "../jobs/schedule.ts";

export type Timing = Pick<ScheduleRow, "cron" | "timeZone">;

/** Making one takes 0.2 ms, most of it for the time zone. */
const known = new LRUCache<string, Cron>({ max: 1_000 });

const PARTS = /^(@[a-z]+|\S+(\s+\S+){4,5})$/i;

/**
 * `no-wildcard`: a time of day without `*` and steps fires once a day, also when the clock changes.
 * With the default rule a list such as `0,30 2 * * *` would be left out in spring.
 */
const parsed = ({ cron, timeZone }: Timing): Cron => {
  const key = `${timeZone}\n${cron}`;
  let made = known.get(key);
  if (made === undefined) {
    made = new Cron(cron, {
      timezone: timeZone,
      mode: "5-or-6-parts",
      fixedTimeRule: "no-wildcard",
      paused: true,
    });
    known.set(key, made);
  }
  return made;
};

/** Names of the IANA database; an offset such as `+02:00` knows no changes of the clock. */
export const isTimeZone = (name: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,99}$/.test(name)) return false;
  try {
    return Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch (caught) {
    if (caught instanceof RangeError) return false;
    throw caught;
  }
};

/** Why it is no cron expression, to follow "cron"; null if it is one. The time zone has been checked. */
export const whyNoCron = (timing: Timing, now: Millis): string | null => {
  // croner would also take a date.
  if (!PARTS.test(timing.cron.trim())) {
    return "must have five fields, or six with seconds, or be @hourly, @daily, @weekly, @monthly or @yearly.";
  }
  try {
    if (nextTime(timing, now) === null) return "names no time that ever comes.";
    return null;
  } catch (caught) {
    if (!(caught instanceof Error)) throw caught;
    return `is no cron expression: ${caught.message.replace(/^CronPattern: /, "").replace(/\.$/, "")}.`;
  }
};

/** The first time after `after`; null if none ever comes. */
export const nextTime = (timing: Timing, after: Millis): Millis | null =>
  parsed(timing).nextRun(new Date(after))?.getTime() ?? null;

/** The first `count` times after `after`, ascending. */
export const nextTimes = (timing: Timing, after: Millis, count: number): Millis[] =>
  count <= 0
    ? []
    : parsed(timing)
        .nextRuns(count, new Date(after))
        .map((time) => time.getTime());

/** Both ends included. */
type Span = { readonly from: Millis; readonly until: Millis };

/**
 * The newest times of the span, at most `count`; ascending. Nearly always there is one, which is
 * found by looking for the next: 0.3 ms, where going back over a hundred took 14.
 */
export const newestTimes = (timing: Timing, span: Span, count: number): Millis[] => {
  const times: Millis[] = [];
  let time = nextTime(timing, span.from - 1);
  for (; time !== null && time <= span.until; time = nextTime(timing, time)) {
    if (times.length === count) return backwards(timing, span, count);
    times.push(time);
  }
  return times;
};

const backwards = (timing: Timing, { from, until }: Span, count: number): Millis[] =>
  parsed(timing)
    // Times are whole seconds; the library leaves out one that is the reference itself.
    .previousRuns(count, new Date(until + 1))
    .map((time) => time.getTime())
    .filter((time) => time >= from)
    .toReversed();
