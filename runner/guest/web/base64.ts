import { GuestTypeError, toText } from "../primordials.ts";
import { DOMException } from "./dom-exception.ts";

const { fromBase64 } = Uint8Array;
const LATIN1_CHUNK = 8_192;

/** https://infra.spec.whatwg.org/#forgiving-base64-decode, which V8's `loose` reading is. */
export function atob(base64?: unknown): string {
  if (arguments.length === 0) throw new GuestTypeError("atob needs a string");
  let bytes: Uint8Array;
  try {
    bytes = fromBase64.call(Uint8Array, toText(base64));
  } catch {
    throw new DOMException(
      "The string to be decoded is not correctly encoded.",
      "InvalidCharacterError",
    );
  }
  let text = "";
  for (let at = 0; at < bytes.length; at += LATIN1_CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + LATIN1_CHUNK));
  }
  return text;
}

export function btoa(text?: unknown): string {
  if (arguments.length === 0) throw new GuestTypeError("btoa needs a string");
  const units = toText(text);
  const bytes = new Uint8Array(units.length);
  for (let i = 0; i < units.length; i++) {
    const unit = units.charCodeAt(i);
    if (unit > 0xff) {
      throw new DOMException("Invalid character", "InvalidCharacterError");
    }
    bytes[i] = unit;
  }
  return bytes.toBase64();
}
