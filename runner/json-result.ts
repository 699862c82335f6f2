import type { Failure } from "./executor.ts";
import { failure } from "./failures.ts";
import { isNestedAtMost, RESULT_DEPTH } from "./nesting.ts";

export type JsonText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "refused"; readonly error: Failure };

export const RESULT_BYTES = 1024 * 1024;

const refused = (code: string, message: string): JsonText => ({
  kind: "refused",
  error: failure(code, message),
});

/** The result of trusted work as JSON; nothing returned is null. */
export const jsonOf = (value: unknown): JsonText => {
  if (value === undefined) return { kind: "text", text: "null" };
  let text: string | undefined;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : "";
    return refused("result.not_serialisable", `the result cannot be written as JSON. ${why}`);
  }
  // Undefined for a function or a symbol, whatever its type says.
  if (text === undefined) {
    return refused("result.not_serialisable", `a ${typeof value} cannot be a result`);
  }
  if (Buffer.byteLength(text) > RESULT_BYTES) {
    return refused("result.too_large", `the result is larger than ${RESULT_BYTES} bytes of JSON`);
  }
  // Parsed again: what `toJSON` makes of a value is what is stored of it.
  if (!isNestedAtMost(JSON.parse(text), RESULT_DEPTH)) {
    const message = `the result is nested deeper than ${RESULT_DEPTH} levels`;
    return refused("result.not_serialisable", message);
  }
  return { kind: "text", text };
};
