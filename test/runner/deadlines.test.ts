import { expect, it } from "vitest";

import { createDeadlines } from "../../runner/deadlines.ts";
import { createManualClock } from "../support/manual-clock.ts";

it("deadlines come at most 50 ms late, unless they are taken back, also by one another", () => {
  const clock = createManualClock();
  const deadlines = createDeadlines(clock);
  const late: string[] = [];
  const takeBack = deadlines.set(100, () => late.push("taken back"));
  deadlines.set(100, () => {
    late.push("first");
    takeBackThird();
  });
  const takeBackThird = deadlines.set(100, () => late.push("third"));
  takeBack();
  clock.advance(99);
  expect(late).toEqual([]);
  clock.advance(51);
  expect(late).toEqual(["first"]);
});

it("a deadline that throws keeps none of the others from their time", () => {
  const clock = createManualClock();
  const deadlines = createDeadlines(clock);
  const late: string[] = [];
  deadlines.set(10, () => {
    throw new Error("of somebody else");
  });
  deadlines.set(10, () => late.push("second"));
  expect(() => {
    clock.advance(50);
  }).toThrow("of somebody else");
  clock.advance(50);
  deadlines.set(10, () => late.push("third"));
  clock.advance(100);
  expect(late).toEqual(["second", "third"]);
});
