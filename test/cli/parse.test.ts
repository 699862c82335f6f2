import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";

import {
  collectPairs,
  parseDurationMs,
  parseInteger,
  parseMoment,
  resolveMoment,
} from "../../src/cli/parse.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["1.5m", 90_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
])("the duration %s is %d ms", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each(["30", "s", "-3s", "3 s", "1h30m", ""])("%j is no duration", (text) => {
  expect(() => parseDurationMs(text)).toThrow(InvalidArgumentError);
});

test.each([
  ["2027-01-31T08:00:00Z", Date.UTC(2027, 0, 31, 8)],
  ["2027-01-31T08:00:00+02:00", Date.UTC(2027, 0, 31, 6)],
  ["2027-01-31", Date.UTC(2027, 0, 31)],
  ["+10m", 1_000 + 600_000],
  ["-1s", 0],
])("the time %s is understood", (text, at) => {
  expect(resolveMoment(parseMoment(text), 1_000)).toBe(at);
});

test.each(["tomorrow", "2027-01-31T08:00:00", "2027-13-01", "12"])(
  "%j is no time, for it has no zone or no sense",
  (text) => {
    expect(() => parseMoment(text)).toThrow(InvalidArgumentError);
  },
);

test("labels gather, and a value may hold an equals sign", () => {
  expect(collectPairs("b=2=two", collectPairs("a=1"))).toEqual({ a: "1", b: "2=two" });
});

test("a pair without a key is refused", () => {
  expect(() => collectPairs("=1")).toThrow(InvalidArgumentError);
  expect(() => collectPairs("a")).toThrow(InvalidArgumentError);
});

test("a number that is not whole is refused", () => {
  expect(parseInteger("-100")).toBe(-100);
  expect(() => parseInteger("1.5")).toThrow(InvalidArgumentError);
});
