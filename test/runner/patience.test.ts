import { expect, test } from "vitest";

import { createPatience } from "../../runner/sandbox/patience.ts";

test("patience follows how long children take to start, within its bounds", () => {
  const patience = createPatience();
  expect(patience.ms()).toBe(50);
  for (let starts = 0; starts < 30; starts += 1) patience.started(300);
  expect(patience.ms()).toBeCloseTo(300, 0);
  for (let starts = 0; starts < 30; starts += 1) patience.started(20_000);
  expect(patience.ms()).toBe(1_000);
  for (let starts = 0; starts < 60; starts += 1) patience.started(1);
  expect(patience.ms()).toBe(50);
});
