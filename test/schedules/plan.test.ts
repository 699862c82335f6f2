import { describe, expect, test } from "vitest";

import { GRACE_MS, planOf } from "../../src/schedules/plan.ts";
import { aScheduleRow } from "../support/schedule-row.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const CATCH_UPS = ["SKIP", "ONCE", "ALL"] as const;

describe("a time that has come", () => {
  test.each(CATCH_UPS)("fires on time and a little late alike (%s)", (catchUp) => {
    const schedule = aScheduleRow({ catchUp, nextFireAt: MINUTE });
    for (const now of [MINUTE, MINUTE + 999, 2 * MINUTE - 1]) {
      expect(planOf(schedule, now)).toEqual({ times: [MINUTE], next: 2 * MINUTE });
    }
  });

  test.each(CATCH_UPS)("fires each of several that are hardly late (%s)", (catchUp) => {
    const schedule = aScheduleRow({ catchUp, cron: "* * * * * *", nextFireAt: 1_000 });
    expect(planOf(schedule, 3_500)).toEqual({ times: [1_000, 2_000, 3_000], next: 4_000 });
  });
});

describe("times that were missed", () => {
  const hourly = (catchUp: (typeof CATCH_UPS)[number]) =>
    aScheduleRow({ catchUp, cron: "0 * * * *", nextFireAt: HOUR });
  const now = 3 * HOUR + 10 * MINUTE;

  test("SKIP goes on with the next", () => {
    expect(planOf(hourly("SKIP"), now)).toEqual({ times: [], next: 4 * HOUR });
  });

  test("ONCE makes one job for all, for the newest of them", () => {
    expect(planOf(hourly("ONCE"), now)).toEqual({ times: [3 * HOUR], next: 4 * HOUR });
  });

  test("ALL makes a job for each, oldest first", () => {
    expect(planOf(hourly("ALL"), now)).toEqual({
      times: [HOUR, 2 * HOUR, 3 * HOUR],
      next: 4 * HOUR,
    });
  });

  test("ALL makes at most the newest 100", () => {
    const { times } = planOf(hourly("ALL"), 1_000 * HOUR + 10 * MINUTE);
    expect(times).toHaveLength(100);
    expect([times[0], times.at(-1)]).toEqual([901 * HOUR, 1_000 * HOUR]);
  });

  test("one that was missed and one that is on time are told apart", () => {
    const late = 2 * HOUR + GRACE_MS;
    expect(planOf(hourly("SKIP"), late).times).toEqual([2 * HOUR]);
    expect(planOf(hourly("SKIP"), late + 1).times).toEqual([]);
    expect(planOf(hourly("ONCE"), late).times).toEqual([HOUR, 2 * HOUR]);
  });

  test("count from the oldest that was not dealt with", () => {
    const pending = { ...hourly("ALL"), pendingFrom: HOUR, nextFireAt: 3 * HOUR };
    expect(planOf(pending, now).times).toEqual([HOUR, 2 * HOUR, 3 * HOUR]);
  });
});
