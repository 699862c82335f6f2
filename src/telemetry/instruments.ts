import type { Attributes, Meter } from "@opentelemetry/api";

import type { AttemptOutcome } from "../jobs/job.ts";
import type { ShardStats } from "../shard/observer.ts";
import { BATCH, BYTES, SECONDS } from "./buckets.ts";

/** Everything that this server measures. Never with an id, a label or a URL as an attribute. */
export type Instruments = {
  /** One RPC that has been answered; watch streams are not calls of this kind. */
  callEnded(seconds: number, attributes: Attributes): void;
  watchOpened(method: string): void;
  watchClosed(method: string): void;
  committed(facts: { readonly commands: number; readonly seconds: number }): void;
  commitFailed(): void;
  attemptStarted(work: string, queueSeconds: number): void;
  attemptEnded(facts: {
    readonly work: string;
    readonly outcome: AttemptOutcome;
    readonly runSeconds: number;
    readonly cpuSeconds: number;
    readonly peakMemoryBytes: number;
  }): void;
  /** Reads the shards whenever somebody collects. `now` is in epoch milliseconds. */
  observeShards(stats: () => readonly ShardStats[], now: () => number): void;
};

const histogram = (
  meter: Meter,
  name: string,
  unit: string,
  buckets: readonly number[],
  description: string,
) =>
  meter.createHistogram(name, {
    unit,
    description,
    advice: { explicitBucketBoundaries: [...buckets] },
  });

const sum = (stats: readonly ShardStats[], count: (shard: ShardStats) => number): number =>
  stats.reduce((total, shard) => total + count(shard), 0);

const observeShards =
  (meter: Meter): Instruments["observeShards"] =>
  (stats, now) => {
    meter
      .createObservableGauge("millrace.jobs.active", {
        unit: "{job}",
        description: "Jobs that have not ended.",
      })
      .addCallback((result) => {
        const shards = stats();
        result.observe(
          sum(shards, ({ queued }) => queued),
          { "millrace.job.state": "queued" },
        );
        result.observe(
          sum(shards, ({ running }) => running),
          { "millrace.job.state": "running" },
        );
        result.observe(
          sum(shards, ({ waiting }) => waiting),
          { "millrace.job.state": "waiting" },
        );
      });
    meter
      .createObservableGauge("millrace.queue.oldest.age", {
        unit: "s",
        description: "How long the oldest queued job has waited; 0 when none waits.",
      })
      .addCallback((result) => {
        const moments = stats().flatMap(({ oldestQueuedAt }) => oldestQueuedAt ?? []);
        const oldest = moments.reduce((first, moment) => Math.min(first, moment), now());
        result.observe(Math.max(0, now() - oldest) / 1_000);
      });
  };

export const createInstruments = (meter: Meter): Instruments => {
  const calls = histogram(
    meter,
    "rpc.server.call.duration",
    "s",
    SECONDS.call,
    "Time to answer a call.",
  );
  const watches = meter.createUpDownCounter("millrace.watch.streams", {
    unit: "{stream}",
    description: "Open watch streams.",
  });
  const batches = histogram(
    meter,
    "millrace.commit.batch.size",
    "{command}",
    BATCH,
    "Commands written by one commit.",
  );
  const commits = histogram(
    meter,
    "millrace.commit.duration",
    "s",
    SECONDS.commit,
    "Time of one commit.",
  );
  const failures = meter.createCounter("millrace.commit.failures", {
    unit: "{commit}",
    description: "Commits that failed; the shard is read again after each.",
  });
  const queued = histogram(
    meter,
    "millrace.job.queue.duration",
    "s",
    SECONDS.queue,
    "Time from queued to started.",
  );
  const attempts = meter.createCounter("millrace.attempts", {
    unit: "{attempt}",
    description: "Attempts that ended.",
  });
  const durations = histogram(
    meter,
    "millrace.attempt.duration",
    "s",
    SECONDS.attempt,
    "Time from the start of an attempt to its end.",
  );
  const cpu = histogram(
    meter,
    "millrace.sandbox.cpu",
    "s",
    SECONDS.cpu,
    "CPU time of an attempt in a sandbox.",
  );
  const memory = histogram(
    meter,
    "millrace.sandbox.memory",
    "By",
    BYTES,
    "Peak memory of an attempt in a sandbox.",
  );
  return {
    callEnded: (seconds, attributes) => calls.record(seconds, attributes),
    watchOpened: (method) => watches.add(1, { "rpc.method": method }),
    watchClosed: (method) => watches.add(-1, { "rpc.method": method }),
    committed: ({ commands, seconds }) => {
      batches.record(commands);
      commits.record(seconds);
    },
    commitFailed: () => failures.add(1),
    attemptStarted: (work, queueSeconds) => queued.record(queueSeconds, { "millrace.work": work }),
    attemptEnded: ({ work, outcome, runSeconds, cpuSeconds, peakMemoryBytes }) => {
      const attributes = {
        "millrace.work": work,
        "millrace.attempt.outcome": outcome.toLowerCase(),
      };
      attempts.add(1, attributes);
      durations.record(runSeconds, attributes);
      if (work !== "script") return;
      cpu.record(cpuSeconds);
      memory.record(peakMemoryBytes);
    },
    observeShards: observeShards(meter),
  };
};
