import { codedError } from "./bridge.ts";
import { charCodeAt, GuestError, jsonStringify } from "./primordials.ts";

/** How it is told that something has more bytes than it may. */
type TooLarge = { readonly code: string; readonly what: string };

const RESULT: TooLarge = { code: "result.too_large", what: "the result" };

/** The result as JSON; nothing returned is null. @throws result.not_serialisable, and `tooLarge` */
export const resultText = (
  result: unknown,
  mostBytes: number,
  tooLarge: TooLarge = RESULT,
): string => {
  const text = stringify(result);
  if (!fits(text, mostBytes)) {
    throw codedError(tooLarge.code, `${tooLarge.what} is larger than ${mostBytes} bytes of JSON`);
  }
  return text;
};

const stringify = (result: unknown): string => {
  if (result === undefined) return "null";
  let text: string | undefined;
  try {
    text = jsonStringify(result) as string | undefined;
  } catch (cause) {
    const why = cause instanceof GuestError ? cause.message : "";
    throw codedError("result.not_serialisable", `the result cannot be written as JSON. ${why}`);
  }
  if (typeof text !== "string") {
    throw codedError("result.not_serialisable", `a ${typeof result} cannot be a result`);
  }
  return text;
};

/** Whether `text` is at most `most` bytes of UTF-8. Lone surrogates cannot be in JSON.stringify's output. */
const fits = (text: string, most: number): boolean => {
  if (text.length > most) return false;
  if (text.length * 3 <= most) return true;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = charCodeAt(text, i);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit >= 0xd800 && unit <= 0xdfff ? 2 : 3;
  }
  return bytes <= most;
};
