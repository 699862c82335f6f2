/** The bytes of an ArrayBuffer or a view, not copied. @throws TypeError for anything else */
export const bytesOf = (data: unknown): Uint8Array => {
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError("an ArrayBuffer or a view of one is needed");
};
