import type { AttemptOutcome } from "../jobs/job.ts";
import type { ShardId } from "../store/store.ts";

/** What the shards tell those who measure them. Called after the commit, never with payloads. */
export type ShardObserver = {
  committed(facts: { shardId: ShardId; commands: number; rows: number; durationMs: number }): void;
  commitFailed(facts: { shardId: ShardId }): void;
  attemptStarted(facts: { capability: string; queueMs: number }): void;
  attemptEnded(facts: {
    capability: string;
    outcome: AttemptOutcome;
    runMs: number;
    cpuMs: number;
    peakMemoryBytes: number;
  }): void;
};

/** What a shard holds now, for gauges that are read from time to time. */
export type ShardStats = {
  readonly shardId: ShardId;
  readonly queued: number;
  readonly running: number;
  /** Held, blocked, scheduled and retrying. */
  readonly waiting: number;
  /** Null when nothing is queued. */
  readonly oldestQueuedAt: number | null;
};
