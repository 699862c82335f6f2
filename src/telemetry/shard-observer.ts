import type { ShardObserver } from "../shard/observer.ts";
import type { Instruments } from "./instruments.ts";

/** `script`, `handler` or `command`: names of types are many, and chosen by others. */
const workOf = (capability: string): string => capability.split(":", 1)[0] ?? capability;

/** Turns what the shards tell into measurements. */
export const createShardObserver = (instruments: Instruments): ShardObserver => ({
  committed: ({ commands, durationMs }) => {
    instruments.committed({ commands, seconds: durationMs / 1_000 });
  },
  commitFailed: () => {
    instruments.commitFailed();
  },
  attemptStarted: ({ capability, queueMs }) => {
    instruments.attemptStarted(workOf(capability), queueMs / 1_000);
  },
  attemptEnded: ({ capability, outcome, runMs, cpuMs, peakMemoryBytes }) => {
    instruments.attemptEnded({
      work: workOf(capability),
      outcome,
      runSeconds: runMs / 1_000,
      cpuSeconds: cpuMs / 1_000,
      peakMemoryBytes,
    });
  },
});
