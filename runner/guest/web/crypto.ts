import { rngChacha20 } from "@noble/ciphers/chacha.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";

import { bytesOf } from "./bytes.ts";
import { DOMException } from "./dom-exception.ts";

type Crypto = {
  getRandomValues(integers: unknown): unknown;
  randomUUID(): string;
  readonly subtle: { digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> };
};

const MOST_BYTES = 65_536;
const INTEGERS = /^(Big)?(Ui|I)nt(8|16|32|64)(Clamped)?Array$/;
const HASHES: ReadonlyMap<string, (bytes: Uint8Array) => Uint8Array> = new Map([
  ["SHA-1", sha1],
  ["SHA-256", sha256],
  ["SHA-384", sha384],
  ["SHA-512", sha512],
]);

/** `entropy`: 32 bytes as base64url, the attempt's own. */
export const createCrypto = (entropy: string): Crypto => {
  const source = rngChacha20(Uint8Array.fromBase64(entropy, { alphabet: "base64url" }));

  return {
    getRandomValues: (integers) => {
      const tag: unknown = ArrayBuffer.isView(integers)
        ? (integers as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
        : undefined;
      if (!ArrayBuffer.isView(integers) || typeof tag !== "string" || !INTEGERS.test(tag)) {
        throw new DOMException("getRandomValues fills arrays of integers", "TypeMismatchError");
      }
      if (integers.byteLength > MOST_BYTES) {
        throw new DOMException(
          `getRandomValues fills at most ${MOST_BYTES} bytes, not ${integers.byteLength}`,
          "QuotaExceededError",
        );
      }
      if (integers.byteLength > 0) bytesOf(integers).set(source.randomBytes(integers.byteLength));
      return integers;
    },
    randomUUID: () => {
      const bytes = source.randomBytes(16);
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
    subtle: {
      digest: async (algorithm, data) => {
        const named =
          typeof algorithm === "object" && algorithm !== null && "name" in algorithm
            ? algorithm.name
            : algorithm;
        const hash = HASHES.get(String(named).toUpperCase());
        if (hash === undefined) {
          throw new DOMException(`no digest ${String(named)} here`, "NotSupportedError");
        }
        return await Promise.resolve(new Uint8Array(hash(bytesOf(data))).buffer);
      },
    },
  };
};
