import type { Failure } from "./executor.ts";
import { failure } from "./failures.ts";

/** Where an input does not fit: a JSON Pointer (RFC 6901), empty for the whole of it. */
export type InputFault = { readonly path: string; readonly description: string };

/** Of more faults only the number is told. */
const MOST_FAULTS = 20;

/** One step of a JSON Pointer. */
export const pointerStep = (name: unknown): string =>
  `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** A line for each fault. It is that of whoever submitted the job: no other attempt can help. */
export const invalidInput = (faults: readonly InputFault[]): Failure => {
  const told = faults
    .slice(0, MOST_FAULTS)
    .map(({ path, description }) => `input${path}: ${description}`);
  const rest = faults.length - told.length;
  return failure("input.invalid", [...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n"));
};
