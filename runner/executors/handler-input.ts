import type { StandardSchemaV1 } from "@standard-schema/spec";

import type { Failure } from "../executor.ts";
import { failure } from "../failures.ts";

export type CheckedInput =
  | { readonly kind: "valid"; readonly value: unknown }
  | { readonly kind: "invalid"; readonly error: Failure };

/** Of more faults only the number is told. */
const MOST_FAULTS = 50;

/** What the schema makes of a JSON text. Whatever the schema itself throws is thrown. */
export const checkedInput = async (
  schema: StandardSchemaV1 | undefined,
  text: string,
): Promise<CheckedInput> => {
  const value: unknown = JSON.parse(text);
  if (schema === undefined) return { kind: "valid", value };
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { kind: "valid", value: result.value };
  const told = result.issues.slice(0, MOST_FAULTS).map(({ path, message }) => {
    const place = (path ?? []).map(segmentOf).join("");
    return `input${place}: ${message}`;
  });
  const rest = result.issues.length - told.length;
  if (rest > 0) told.push(`and ${rest} more`);
  return { kind: "invalid", error: failure("input.invalid", told.join("\n")) };
};

/** A JSON Pointer (RFC 6901), as in the faults of a submission. */
const segmentOf = (segment: PropertyKey | StandardSchemaV1.PathSegment): string => {
  const key = typeof segment === "object" ? segment.key : segment;
  return `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
};
