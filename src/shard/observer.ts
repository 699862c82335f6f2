import type { AttemptOutcome } from "../jobs/job.ts";
import type { ShardChanges, ShardId } from "../store/store.ts";

/** Which call a command came from, in the terms of whoever traces calls. Null: nobody traces this one. */
export type Origin = object | null;

export type Committed = {
  readonly shardId: ShardId;
  readonly commands: number;
  /** Those that are not null. */
  readonly origins: readonly object[];
  readonly rows: number;
  /** Epoch milliseconds. */
  readonly beganAt: number;
  readonly durationMs: number;
  readonly changes: ShardChanges;
  /** Notices that no hook was owed, for it had caused what it would have been told of. */
  readonly loopsStopped: number;
  /** When it was decided: rows that began or ended with it say the same. */
  readonly now: number;
};

export type AttemptStarted = {
  readonly organizationId: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly capability: string;
  /** Both empty unless the job is a step. */
  readonly workflowId: string;
  readonly stepName: string;
  readonly queuedAt: number;
  readonly startedAt: number;
  /** Of the submission; empty if it had none, or if a runner does not run it. */
  readonly traceparent: string;
};

/** What the shards tell those who measure them. Called after the commit, never with payloads. */
export type ShardObserver = {
  /** Asked while the call that sends a command is under way. */
  origin(): Origin;
  committed(facts: Committed): void;
  commitFailed(facts: { shardId: ShardId }): void;
  attemptStarted(facts: AttemptStarted): void;
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

const nothing = (): void => {};

export const silentShardObserver: ShardObserver = {
  origin: () => null,
  committed: nothing,
  commitFailed: nothing,
  attemptStarted: nothing,
  attemptEnded: nothing,
};
