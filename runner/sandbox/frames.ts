/**
 * Frames on the two pipes between supervisor and child: four bytes of length (big endian), then so
 * many bytes of JSON. Both sides use this file; neither trusts a length.
 */
const HEADER = 4;

/**
 * Where a child writes its frames. Not stdout: V8 itself prints there what a script throws where
 * nobody can catch it, as in a callback of a FinalizationRegistry.
 */
export const FRAMES_FD = 3;

/** More than `limit` bytes were announced. The stream is worth nothing from here on. */
export class FrameTooLarge extends Error {
  override readonly name = "FrameTooLarge";
  constructor(length: number, limit: number) {
    super(`a frame of ${length} bytes; at most ${limit} are allowed`);
  }
}

export const encodeFrame = (message: object): Buffer => {
  const text = JSON.stringify(message);
  const frame = Buffer.allocUnsafe(HEADER + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - HEADER, 0);
  frame.write(text, HEADER, "utf8");
  return frame;
};

/** Takes chunks as they come and calls `take` with the text of each whole frame. @throws FrameTooLarge */
export const createFrameReader = (
  limit: number,
  take: (text: string) => void,
): ((chunk: Buffer) => void) => {
  let chunks: Buffer[] = [];
  let buffered = 0;
  /** Bytes that must be there before anything can be done: a header, or a header and its frame. */
  let wanted = HEADER;

  return (chunk) => {
    chunks.push(chunk);
    buffered += chunk.length;
    if (buffered < wanted) return;
    let bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    for (;;) {
      wanted = HEADER;
      if (bytes.length < HEADER) break;
      const length = bytes.readUInt32BE(0);
      if (length > limit) throw new FrameTooLarge(length, limit);
      wanted = HEADER + length;
      if (bytes.length < wanted) break;
      const text = bytes.toString("utf8", HEADER, wanted);
      bytes = bytes.subarray(wanted);
      take(text);
    }
    chunks = bytes.length === 0 ? [] : [bytes];
    buffered = bytes.length;
  };
};
