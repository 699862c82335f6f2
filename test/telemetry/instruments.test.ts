import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createInstruments, type Instruments } from "../../src/telemetry/instruments.ts";
import { createShardObserver } from "../../src/telemetry/shard-observer.ts";

let exporter: InMemoryMetricExporter;
let provider: MeterProvider;
let instruments: Instruments;

beforeEach(() => {
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  instruments = createInstruments(provider.getMeter("test"));
});
afterEach(async () => {
  await provider.shutdown();
});

/** The points of a metric: their values (sums of histograms) and attributes. */
const pointsOf = async (name: string) => {
  await provider.forceFlush();
  const metrics =
    exporter
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  const metric = metrics.find(({ descriptor }) => descriptor.name === name);
  return metric?.dataPoints.map(({ value, attributes }) => ({
    value: typeof value === "object" ? value.sum : value,
    attributes,
  }));
};

describe("the instruments", () => {
  it("turn what a shard tells into seconds, bytes and counts", async () => {
    const observer = createShardObserver(instruments);
    observer.attemptStarted({ capability: "handler:mail.send", queueMs: 1_500 });
    const usage = { runMs: 2_000, cpuMs: 250, peakMemoryBytes: 1_048_576 };
    observer.attemptEnded({ capability: "script", outcome: "FAILED", ...usage });
    observer.attemptEnded({ capability: "handler:mail.send", outcome: "SUCCEEDED", ...usage });
    observer.committed({ shardId: 3, commands: 7, rows: 9, durationMs: 4 });
    observer.commitFailed({ shardId: 3 });
    expect(await pointsOf("millrace.job.queue.duration")).toEqual([
      { value: 1.5, attributes: { "millrace.work": "handler" } },
    ]);
    expect(await pointsOf("millrace.attempts")).toEqual([
      { value: 1, attributes: { "millrace.work": "script", "millrace.attempt.outcome": "failed" } },
      {
        value: 1,
        attributes: { "millrace.work": "handler", "millrace.attempt.outcome": "succeeded" },
      },
    ]);
    expect(await pointsOf("millrace.sandbox.cpu")).toEqual([{ value: 0.25, attributes: {} }]);
    expect(await pointsOf("millrace.sandbox.memory")).toEqual([
      { value: 1_048_576, attributes: {} },
    ]);
    expect(await pointsOf("millrace.commit.batch.size")).toEqual([{ value: 7, attributes: {} }]);
    expect(await pointsOf("millrace.commit.duration")).toEqual([{ value: 0.004, attributes: {} }]);
    expect(await pointsOf("millrace.commit.failures")).toEqual([{ value: 1, attributes: {} }]);
  });

  it("read the shards whenever somebody collects", async () => {
    const shard = { shardId: 0, queued: 2, running: 3, waiting: 4, oldestQueuedAt: 5_000 };
    instruments.observeShards(
      () => [shard, { ...shard, oldestQueuedAt: null }],
      () => 9_000,
    );
    expect(await pointsOf("millrace.queue.oldest.age")).toEqual([{ value: 4, attributes: {} }]);
    const active = await pointsOf("millrace.jobs.active");
    expect(
      active?.map(({ value, attributes }) => [attributes["millrace.job.state"], value]),
    ).toEqual([
      ["queued", 4],
      ["running", 6],
      ["waiting", 8],
    ]);
  });

  it("say that nothing waits with an age of zero", async () => {
    instruments.observeShards(
      () => [],
      () => 9_000,
    );
    expect(await pointsOf("millrace.queue.oldest.age")).toEqual([{ value: 0, attributes: {} }]);
  });

  it("count open streams up and down", async () => {
    instruments.watchOpened("a");
    instruments.watchOpened("a");
    instruments.watchClosed("a");
    expect(await pointsOf("millrace.watch.streams")).toEqual([
      { value: 1, attributes: { "rpc.method": "a" } },
    ]);
  });
});
