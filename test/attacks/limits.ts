import { DEFAULT_LIMITS, type SandboxLimits } from "../../runner/sandbox/limits.ts";

const MIB = 1024 * 1024;

/** Small, so that what goes too far is stopped soon. */
export const LIMITS: SandboxLimits = {
  ...DEFAULT_LIMITS,
  cpuMs: 200,
  heapMb: 32,
  rssBytes: 220 * MIB,
  graceMs: 200,
  sampleMs: 10,
};
