import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";

import type { JsonText } from "../../jobs/job.ts";

/**
 * The plain value. By hand: `toJson` of the library takes five times as long, and this is done for
 * each submission. @throws RangeError for what JSON cannot say
 */
export const plainOf = ({ kind }: Value): unknown => {
  switch (kind.case) {
    case "stringValue":
    case "boolValue":
      return kind.value;
    case "numberValue":
      if (Number.isFinite(kind.value)) return kind.value;
      throw new RangeError(`${kind.value} is no number of JSON`);
    case "structValue":
      return Object.fromEntries(
        Object.entries(kind.value.fields).map(([key, value]) => [key, plainOf(value)]),
      );
    case "listValue":
      return kind.value.values.map(plainOf);
    case "nullValue":
    case undefined:
      return null;
  }
};

export const valueOf = (text: JsonText): Value =>
  fromJson(ValueSchema, JSON.parse(text) as JsonValue);

/** The value of one JSON text; undefined if it is none. */
export const parsedJson = (text: JsonText): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (caught) {
    if (caught instanceof SyntaxError) return undefined;
    throw caught;
  }
};

export { isFiniteThroughout, isNestedAtMost } from "../../jobs/nesting.ts";
