import { randomBytes } from "node:crypto";

import { v7 } from "uuid";

/** The only source of randomness. */
export type Random = {
  /** [0, 1) */
  fraction(): number;
  /** A UUIDv7; later ones sort after earlier ones within a process. */
  uuid(): string;
  /** `bytes` of cryptographic randomness, in base64url. */
  secret(bytes: number): string;
};

export const systemRandom: Random = {
  fraction: () => Math.random(),
  uuid: () => v7(),
  secret: (bytes) => randomBytes(bytes).toString("base64url"),
};
