import type { JsonValue } from "@bufbuild/protobuf";

import { EXIT } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import type { OutputFormat } from "../options.ts";

const pick = (value: JsonValue, field: string): JsonValue => {
  const held =
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.hasOwn(value, field)
      ? value[field]
      : undefined;
  if (held !== undefined) return held;
  throw new CliFailure(EXIT.usage, `The result has no field ${field}.`, {
    next: "Leave --field out to see all of it.",
  });
};

/** JSON for machines in one line, for people indented; for people a text is printed as it is. */
export const resultText = (
  value: JsonValue,
  options: { readonly field?: string; readonly output: OutputFormat },
): string => {
  const wanted = options.field === undefined ? value : pick(value, options.field);
  if (options.output === "json") return JSON.stringify(wanted);
  return typeof wanted === "string" ? wanted : JSON.stringify(wanted, null, 2);
};
