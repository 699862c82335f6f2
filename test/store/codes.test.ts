import { describe, expect, test } from "vitest";

import {
  AttemptOutcome,
  ConcurrencyPolicy,
  JobState,
  OutputStream,
  ScriptLanguage,
} from "../../src/gen/millrace/v1/job_pb.ts";
import { Metric, Resolution } from "../../src/gen/millrace/v1/metrics_service_pb.ts";
import {
  METRIC_CODES,
  RESOLUTION_CODES,
  LANGUAGES,
  OUTCOMES,
  POLICIES,
  STATES,
  STREAMS,
} from "../../src/store/rows/codes.ts";

/** The generated enumerations say names by number and numbers by name. */
const named = (enumeration: object): Record<string, number> =>
  Object.fromEntries(
    Object.entries(enumeration).filter(
      (entry): entry is [string, number] =>
        typeof entry[1] === "number" && entry[0] !== "UNSPECIFIED",
    ),
  );

describe("what is stored as a number has the number of the contract", () => {
  test.each([
    ["states", STATES, JobState],
    ["outcomes", OUTCOMES, AttemptOutcome],
    ["streams", STREAMS, OutputStream],
    ["policies", POLICIES, ConcurrencyPolicy],
    ["metrics", METRIC_CODES, Metric],
    ["resolutions", RESOLUTION_CODES, Resolution],
    ["languages", LANGUAGES, ScriptLanguage],
  ])("%s", (_, codes, enumeration) => {
    expect(codes.numbers).toEqual(named(enumeration));
    for (const [name, number] of Object.entries(codes.numbers)) {
      expect(codes.nameOf(number)).toBe(name);
    }
  });

  test("a number that nobody gave is refused", () => {
    expect(() => STATES.nameOf(0)).toThrow(RangeError);
  });
});
