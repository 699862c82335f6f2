/** `text` cut to at most `bytes` of UTF-8, between characters, without lone surrogates. */
export const cutUtf8 = (text: string, bytes: number): string => {
  const whole = text.toWellFormed();
  if (whole.length * 3 <= bytes || Buffer.byteLength(whole) <= bytes) return whole;
  // Never more characters than bytes: do not encode a megabyte to keep a line.
  const encoded = Buffer.from(whole.slice(0, bytes), "utf8").subarray(0, bytes);
  let end = encoded.length;
  // Back to the start of a character that was cut in two.
  while (end > 0 && ((encoded[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  const lead = encoded[end - 1] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const fits = end - 1 + length <= encoded.length;
  return encoded.toString("utf8", 0, fits ? end - 1 + length : end - 1);
};
