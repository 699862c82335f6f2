/** What one attempt of a script may use. docs/scripts.md tells authors the defaults. */
export type SandboxLimits = {
  readonly cpuMs: number;
  /** V8's heap of the isolate. */
  readonly heapMb: number;
  /** The whole child; above it, it is killed. */
  readonly rssBytes: number;
  readonly resultBytes: number;
  readonly outputBytes: number;
  readonly outputLines: number;
  readonly lineBytes: number;
  /** Waiting at once. */
  readonly timers: number;
  /** Between the cancellation and the kill. */
  readonly graceMs: number;
  /** How often a busy child is looked at. */
  readonly sampleMs: number;
  /** Attempts after which a child is replaced. */
  readonly recycleAfter: number;
};

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: SandboxLimits = {
  cpuMs: 5_000,
  heapMb: 64,
  rssBytes: 400 * MIB,
  resultBytes: MIB,
  outputBytes: 256 * KIB,
  outputLines: 2_000,
  lineBytes: 8 * KIB,
  timers: 1_000,
  graceMs: 1_000,
  sampleMs: 25,
  recycleAfter: 1_000,
};
