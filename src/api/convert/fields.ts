import type { DescEnum } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

import type { Millis } from "../../jobs/job.ts";
import type { Faults } from "./faults.ts";

/** Checks of single fields. Each answers with a usable value, and notes a fault where it had to make one up. */
type Range = { readonly min: number; readonly max: number };

const shown = (value: number): string => (Number.isFinite(value) ? `${value}` : "not a number");

export const numberWithin = (
  faults: Faults,
  field: string,
  value: number,
  { min, max }: Range,
): number => {
  if (value >= min && value <= max) return value;
  faults.add(field, `must be ${min} to ${max}; it is ${shown(value)}.`);
  return min;
};

/** JSON can carry halves of characters, which no database keeps as they are. */
export const text = (faults: Faults, field: string, value: string, maxLength: number): string => {
  if (value.length > maxLength) {
    faults.add(field, `must have at most ${maxLength} characters; it has ${value.length}.`);
  } else if (!value.isWellFormed()) {
    faults.add(field, "must be well-formed Unicode; it has half of a surrogate pair.");
  }
  return value;
};

/** Seconds and nanoseconds of one sign, as google.protobuf.Duration has it; NaN if not. */
const durationMs = ({ seconds, nanos }: Duration): number => {
  const mixed = (seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0);
  if (mixed || Math.abs(nanos) >= 1e9) return Number.NaN;
  return Number(seconds) * 1_000 + Math.round(nanos / 1_000_000);
};

const inUnits = (ms: number): string => {
  if (Number.isNaN(ms)) return "no duration";
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
};

/** In milliseconds; `fallback` if absent. */
export const durationWithin = (
  faults: Faults,
  field: string,
  value: Duration | undefined,
  { min, max }: Range,
  fallback: number,
): number => {
  if (value === undefined) return fallback;
  const ms = durationMs(value);
  if (ms >= min && ms <= max) return ms;
  faults.add(field, `must be ${inUnits(min)} to ${inUnits(max)}; it is ${inUnits(ms)}.`);
  return fallback;
};

/** The years 1 to 9999, as google.protobuf.Timestamp has it. */
const EARLIEST_SECONDS = -62_135_596_800;
const LATEST_SECONDS = 253_402_300_799;

/** Null if absent. */
export const moment = (
  faults: Faults,
  field: string,
  value: Timestamp | undefined,
): Millis | null => {
  if (value === undefined) return null;
  const seconds = Number(value.seconds);
  if (
    seconds >= EARLIEST_SECONDS &&
    seconds <= LATEST_SECONDS &&
    value.nanos >= 0 &&
    value.nanos < 1e9
  ) {
    return seconds * 1_000 + Math.floor(value.nanos / 1_000_000);
  }
  faults.add(field, "must be a time of the years 1 to 9999.");
  return null;
};

/** How a key of a map is written in a path. */
export const keyed = (field: string, key: string): string => `${field}[${JSON.stringify(key)}]`;

/** Whether an open enum holds a value of this version of the contract. */
export const isKnown = (schema: DescEnum, value: number): boolean =>
  schema.value[value] !== undefined;
