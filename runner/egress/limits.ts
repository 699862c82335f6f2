const KIB = 1024;
const MIB = 1024 * KIB;

/** What the fetches of one attempt may use. docs/egress.md tells authors and operators. */
export const EGRESS_LIMITS = {
  fetches: 50,
  atOnce: 6,
  redirects: 5,
  urlChars: 16 * KIB,
  requestBytes: MIB,
  /** Of a request's headers, and of a response's. */
  headerBytes: 64 * KIB,
  headers: 100,
  /** After decompression, and before. */
  responseBytes: 4 * MIB,
  /** Base64 of it, and headers of which each character is escaped twice, fit the 16 MiB of a frame. */
  mostResponseBytes: 10 * MIB,
  connectMs: 5_000,
  headersMs: 10_000,
  wholeMs: 30_000,
} as const;
