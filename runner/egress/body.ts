import type { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
} from "node:zlib";

import { failed, tooLarge } from "./refusal.ts";

/** What the broker tells servers that it can read. */
export const ACCEPTED_CODINGS = "gzip, deflate, br";

/**
 * Reads a body to its end and decompresses it. Bytes are counted before and after while they come:
 * a bomb is stopped at `most`, however small it was packed. @throws HostFault egress.too_large
 */
export const readBody = async (body: Readable, coding: string, most: number): Promise<Buffer> => {
  // Whoever gives it up makes it emit an error, which nobody waits for any more.
  body.on("error", () => {});
  try {
    return await readWhole(body, coding, most);
  } catch (cause) {
    body.destroy();
    throw cause;
  }
};

const readWhole = async (body: Readable, coding: string, most: number): Promise<Buffer> => {
  const packed = counted(body, most);
  const first = await packed.next();
  if (first.done === true) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  const keep = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of counted(source, most)) chunks.push(chunk);
  };
  const whole = prepended(first.value, packed);
  const decoder = decoderOf(coding, first.value);
  if (decoder === null) await keep(whole);
  else await pipeline(whole, decoder, keep);
  return Buffer.concat(chunks);
};

const counted = async function* (
  source: AsyncIterable<Buffer>,
  most: number,
): AsyncGenerator<Buffer, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge(`the response has more than ${most} bytes`);
    if (chunk.length > 0) yield chunk;
  }
};

const prepended = async function* (
  first: Buffer,
  rest: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  yield first;
  yield* rest;
};

/** Whoever forgets the end of a stream is understood, as browsers do. */
const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const LENIENT_BROTLI = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};

/** Null: the body is as it is. */
const decoderOf = (coding: string, first: Buffer): Transform | null => {
  switch (coding.trim().toLowerCase()) {
    case "":
    case "identity":
      return null;
    case "gzip":
    case "x-gzip":
      return createGunzip(LENIENT);
    case "br":
      return createBrotliDecompress(LENIENT_BROTLI);
    case "deflate":
      // RFC 1950 begins with an 8 in the low half; many servers send RFC 1951 under the same name.
      return ((first[0] ?? 0) & 0x0f) === 0x08 ? createInflate(LENIENT) : createInflateRaw(LENIENT);
    default:
      throw failed(`the response is encoded as ${JSON.stringify(coding.slice(0, 50))}`);
  }
};
