import { describe, expect, test } from "vitest";

import {
  isTimeZone,
  newestTimes,
  nextTime,
  nextTimes,
  whyNoCron,
} from "../../src/schedules/cron.ts";

const at = (text: string): number => Date.parse(text);
const BERLIN = "Europe/Berlin";
const NEW_YORK = "America/New_York";

const from = (cron: string, timeZone: string, after: string, count: number): string[] =>
  nextTimes({ cron, timeZone }, at(after), count).map((time) =>
    new Date(time).toISOString().replace(":00.000Z", "Z"),
  );

describe("when the clock skips an hour in spring", () => {
  test("a time of day fires at the moment of the change", () => {
    expect(from("30 2 * * *", BERLIN, "2027-03-27T12:00:00Z", 2)).toEqual([
      "2027-03-28T01:00Z",
      "2027-03-29T00:30Z",
    ]);
    expect(from("30 2 * * *", NEW_YORK, "2027-03-13T12:00:00Z", 2)).toEqual([
      "2027-03-14T07:00Z",
      "2027-03-15T06:30Z",
    ]);
  });

  test("several times of day that are skipped fire once together", () => {
    expect(from("15,30,45 2 * * *", BERLIN, "2027-03-27T12:00:00Z", 2)).toEqual([
      "2027-03-28T01:00Z",
      "2027-03-29T00:15Z",
    ]);
  });

  test("what goes by steps leaves the skipped hour out, and goes on evenly", () => {
    expect(from("*/30 * * * *", BERLIN, "2027-03-28T00:15:00Z", 3)).toEqual([
      "2027-03-28T00:30Z",
      "2027-03-28T01:00Z",
      "2027-03-28T01:30Z",
    ]);
    expect(from("*/30 2 * * *", BERLIN, "2027-03-27T12:00:00Z", 1)).toEqual(["2027-03-29T00:00Z"]);
  });
});

describe("when the clock repeats an hour in autumn", () => {
  test("a time of day fires once", () => {
    expect(from("30 2 * * *", BERLIN, "2027-10-30T12:00:00Z", 2)).toEqual([
      "2027-10-31T00:30Z",
      "2027-11-01T01:30Z",
    ]);
    expect(from("30 1 * * *", NEW_YORK, "2027-11-06T12:00:00Z", 2)).toEqual([
      "2027-11-07T05:30Z",
      "2027-11-08T06:30Z",
    ]);
  });

  test("what goes by steps fires in both hours", () => {
    expect(from("*/30 2 * * *", BERLIN, "2027-10-30T12:00:00Z", 4)).toEqual([
      "2027-10-31T00:00Z",
      "2027-10-31T00:30Z",
      "2027-10-31T01:00Z",
      "2027-10-31T01:30Z",
    ]);
  });
});

test("looking back finds the same times as looking ahead, over both changes", () => {
  for (const cron of ["30 2 * * *", "*/20 * * * *", "15,45 1-3 * * *", "0 0 * * 0"]) {
    for (const timeZone of [BERLIN, NEW_YORK]) {
      for (const day of ["2027-03-13", "2027-03-27", "2027-10-30", "2027-11-06"]) {
        const first = at(`${day}T00:00:00Z`);
        const last = first + 3 * 86_400_000;
        const ahead = nextTimes({ cron, timeZone }, first, 400).filter((time) => time <= last);
        const back = newestTimes({ cron, timeZone }, { from: first + 1, until: last }, 400);
        expect(back).toEqual(ahead);
      }
    }
  }
});

test("looking back takes in both ends, and no more than is asked for", () => {
  const timing = { cron: "* * * * * *", timeZone: "UTC" };
  expect(newestTimes(timing, { from: 1_000, until: 3_000 }, 10)).toEqual([1_000, 2_000, 3_000]);
  expect(newestTimes(timing, { from: 1_000, until: 3_999 }, 2)).toEqual([2_000, 3_000]);
  expect(newestTimes(timing, { from: 3_500, until: 3_999 }, 2)).toEqual([]);
  expect(nextTime(timing, 3_000)).toBe(4_000);
});

test("says what is wrong with an expression", () => {
  const why = (cron: string): string | null => whyNoCron({ cron, timeZone: "UTC" }, 0);
  for (const cron of ["* * * * *", "0 */5 * * * *", "@daily", "0 9 * * MON-FRI", "0 0 L * *"]) {
    expect(why(cron)).toBeNull();
  }
  expect(why("")).toMatch("five fields");
  expect(why("2027-01-01T00:00:00")).toMatch("five fields");
  expect(why("* * * * * * 2027")).toMatch("five fields");
  expect(why("60 * * * *")).toMatch("Invalid value for minute: 60");
  expect(why("@reboot")).toMatch("no cron expression");
  expect(why("0 0 31 2 *")).toMatch("no time that ever comes");
});

test("knows the names of time zones, and takes no offsets", () => {
  expect(["UTC", BERLIN, "America/Argentina/Buenos_Aires"].map(isTimeZone)).toEqual([
    true,
    true,
    true,
  ]);
  expect(["", "Mars/Olympus", "+02:00", "Europe"].map(isTimeZone)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
