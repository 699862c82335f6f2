import type { StandardSchemaV1 } from "@standard-schema/spec";

import type { Failure } from "../executor.ts";
import { invalidInput, pointerStep } from "../input-faults.ts";

export type CheckedInput =
  | { readonly kind: "valid"; readonly value: unknown }
  | { readonly kind: "invalid"; readonly error: Failure };

/** What the schema makes of a JSON text. Whatever the schema itself throws is thrown. */
export const checkedInput = async (
  schema: StandardSchemaV1 | undefined,
  text: string,
): Promise<CheckedInput> => {
  const value: unknown = JSON.parse(text);
  if (schema === undefined) return { kind: "valid", value };
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { kind: "valid", value: result.value };
  const faults = result.issues.map(({ path, message }) => ({
    path: (path ?? []).map(stepOf).join(""),
    description: message,
  }));
  return { kind: "invalid", error: invalidInput(faults) };
};

const stepOf = (segment: PropertyKey | StandardSchemaV1.PathSegment): string =>
  pointerStep(typeof segment === "object" ? segment.key : segment);
