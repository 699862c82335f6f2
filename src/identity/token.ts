import { createHash, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * A token is `mr_<id>_<secret><checksum>`. The id is public and names the row; the secret is known
 * to its holder alone; the checksum lets typing mistakes and scanners be told without a database.
 */
export type ParsedToken = { readonly id: string; readonly secret: string };

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Characters that hold 96, 256 and 32 bits in base 62. */
const ID_LENGTH = 17;
const SECRET_LENGTH = 43;
export const CHECKSUM_LENGTH = 6;

export const ID_BYTES = 12;
export const SECRET_BYTES = 32;

const TOKEN = new RegExp(
  `^mr_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`,
);

/** The number in digits and letters, filled up to `length`. */
export const base62 = (value: bigint, length: number): string => {
  let text = "";
  for (let rest = value; rest > 0n; rest /= 62n) text = `${DIGITS[Number(rest % 62n)]}${text}`;
  return text.padStart(length, "0");
};

const fromBase64Url = (text: string): bigint =>
  BigInt(`0x${Buffer.from(text, "base64url").toString("hex")}`);

/** Of everything in a token that comes before it. */
export const checksumOf = (text: string): string => base62(BigInt(crc32(text)), CHECKSUM_LENGTH);

/** `idEntropy` and `secretEntropy`: ID_BYTES and SECRET_BYTES of randomness, in base64url. */
export const formatToken = (
  idEntropy: string,
  secretEntropy: string,
): ParsedToken & { readonly text: string } => {
  const id = base62(fromBase64Url(idEntropy), ID_LENGTH);
  const secret = base62(fromBase64Url(secretEntropy), SECRET_LENGTH);
  const text = `mr_${id}_${secret}`;
  return { id, secret, text: `${text}${checksumOf(text)}` };
};

/** Null for whatever is not a token of ours, or was mistyped. */
export const parseToken = (text: string): ParsedToken | null => {
  const [, id, secret, sum] = TOKEN.exec(text) ?? [];
  if (id === undefined || secret === undefined) return null;
  if (sum !== checksumOf(`mr_${id}_${secret}`)) return null;
  return { id, secret };
};

/** What is stored of a secret: its SHA-256, in hex. */
export const hashSecret = (secret: string): string =>
  createHash("sha256").update(secret).digest("hex");

/** In constant time. */
export const secretMatches = (secret: string, hash: string): boolean => {
  const [given, stored] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)];
  return given.length === stored.length && timingSafeEqual(given, stored);
};
