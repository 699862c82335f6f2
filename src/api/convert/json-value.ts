import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";

import type { JsonText } from "../../jobs/job.ts";

/** The JSON text of a value; null of an absent one. @throws Error for what JSON cannot say, such as NaN */
export const jsonTextOf = (value: Value | undefined): JsonText =>
  value === undefined || value.kind.case === undefined
    ? "null"
    : JSON.stringify(toJson(ValueSchema, value));

export const valueOf = (text: JsonText): Value =>
  fromJson(ValueSchema, JSON.parse(text) as JsonValue);

/** True if `text` is one JSON value. */
export const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch (caught) {
    if (caught instanceof SyntaxError) return false;
    throw caught;
  }
};

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};

/** One text for one meaning: the order of keys is left to chance by some clients. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));
