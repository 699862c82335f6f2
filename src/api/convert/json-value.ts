import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";

import type { JsonText } from "../../jobs/job.ts";

/** The plain value. @throws RangeError for numbers that JSON has not */
const plain = ({ kind }: Value): unknown => {
  switch (kind.case) {
    case "stringValue":
    case "boolValue":
      return kind.value;
    case "numberValue":
      if (Number.isFinite(kind.value)) return kind.value;
      throw new RangeError(`${kind.value} is no number of JSON`);
    case "structValue":
      return Object.fromEntries(
        Object.entries(kind.value.fields).map(([key, value]) => [key, plain(value)]),
      );
    case "listValue":
      return kind.value.values.map(plain);
    case "nullValue":
    case undefined:
      return null;
  }
};

/**
 * The JSON text of a value; null of an absent one. By hand: `toJson` of the library takes five times
 * as long, and this is done for each submission. @throws RangeError for what JSON cannot say
 */
export const jsonTextOf = (value: Value | undefined): JsonText =>
  value === undefined ? "null" : JSON.stringify(plain(value));

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
