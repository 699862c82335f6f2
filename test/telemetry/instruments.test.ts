import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ALL } from "../../scripts/dashboard/queries.ts";
import type { RunnerObserver } from "../../runner/observer.ts";
import type { DeliveryRow, DeliveryTryRow } from "../../src/jobs/delivery.ts";
import type { HookRow } from "../../src/jobs/hook.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import type { PointRow } from "../../src/jobs/metric.ts";
import type { JobId, WorkflowId } from "../../src/jobs/ids.ts";
import type { WorkflowRow } from "../../src/jobs/workflow.ts";
import type { Committed, ShardObserver } from "../../src/shard/observer.ts";
import { NO_CHANGES } from "../../src/store/changes.ts";
import { createMeters, type Meters } from "../../src/telemetry/meters.ts";
import { observeShards } from "../../src/telemetry/observe-shards.ts";
import { createRunnerObserver } from "../../src/telemetry/runner-observer.ts";
import { createShardObserver } from "../../src/telemetry/shard-observer.ts";
import { NO_SPANS } from "../../src/telemetry/shard-spans.ts";
import { RUNNER_TABLE } from "../../src/telemetry/tables/runner.ts";
import type { Spec } from "../../src/telemetry/tables/spec.ts";
import { SERVER_TABLE } from "../../src/telemetry/tables/server.ts";
import { aJobRow } from "../support/job-row.ts";

let exporter: InMemoryMetricExporter;
let provider: MeterProvider;
let meters: Meters<typeof SERVER_TABLE>;
let shards: ShardObserver;
let runner: RunnerObserver;

beforeEach(() => {
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  const meter = provider.getMeter("test");
  meters = createMeters(meter, SERVER_TABLE);
  shards = createShardObserver(meters, NO_SPANS);
  runner = createRunnerObserver(createMeters(meter, RUNNER_TABLE));
});
afterEach(async () => {
  await provider.shutdown();
});

const collected = async () => {
  await provider.forceFlush();
  return (
    exporter
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
  );
};

/** Values (sums of histograms) by what is in the attributes; counters that have not begun are left out. */
const pointsOf = async (name: string): Promise<Record<string, number>> => {
  const metric = (await collected()).find(({ descriptor }) => descriptor.name === name);
  const points = (metric?.dataPoints ?? []).map(({ value, attributes }) => [
    Object.values(attributes).join(" "),
    typeof value === "object" ? (value.sum ?? 0) : value,
  ]);
  const isGauge = metric?.dataPointType === DataPointType.GAUGE;
  return Object.fromEntries(points.filter(([, value]) => isGauge || value !== 0)) as Record<
    string,
    number
  >;
};

const NOW = 1_000_000;
const commit = (
  changes: Partial<Committed["changes"]>,
  { commands = 1, loopsStopped = 0 } = {},
): void => {
  shards.committed({
    shardId: 3,
    commands,
    origins: [],
    rows: 9,
    beganAt: NOW,
    durationMs: 4,
    changes: { ...NO_CHANGES, revision: 1, ...changes },
    loopsStopped,
    now: NOW,
  });
};

describe("the instruments of a server", () => {
  it("turn what a shard tells into seconds, bytes and counts", async () => {
    const job = { organizationId: "acme", jobId: "job", attempt: 1, traceparent: "" };
    const [queuedAt, startedAt] = [NOW, NOW + 1_500];
    const step = { workflowId: "", stepName: "" };
    shards.attemptStarted({
      ...job,
      ...step,
      capability: "handler:mail.send",
      queuedAt,
      startedAt,
    });
    const usage = { runMs: 2_000, cpuMs: 250, peakMemoryBytes: 1_048_576 };
    shards.attemptEnded({ capability: "script", outcome: "FAILED", ...usage });
    shards.attemptEnded({ capability: "handler:mail.send", outcome: "SUCCEEDED", ...usage });
    shards.commitFailed({ shardId: 3 });
    commit({}, { commands: 7, loopsStopped: 2 });
    expect(await pointsOf("millrace.job.queue.duration")).toEqual({ handler: 1.5 });
    expect(await pointsOf("millrace.attempts")).toEqual({
      "script failed": 1,
      "handler succeeded": 1,
    });
    expect(await pointsOf("millrace.sandbox.cpu")).toEqual({ "": 0.25 });
    expect(await pointsOf("millrace.sandbox.memory")).toEqual({ "": 1_048_576 });
    expect(await pointsOf("millrace.commit.batch.size")).toEqual({ "": 7 });
    expect(await pointsOf("millrace.commit.duration")).toEqual({ "": 0.004 });
    expect(await pointsOf("millrace.commit.failures")).toEqual({ "": 1 });
    expect(await pointsOf("millrace.hooks.loops")).toEqual({ "": 2 });
  });

  it("count what a commit wrote, once, and not what it merely touched", async () => {
    const [before, workflowId] = [NOW - 60_000, "workflow" as WorkflowId];
    const delivery = { hookId: "", state: "PENDING", tries: 0, createdAt: NOW, endedAt: null };
    const tried = { durationMs: 500, status: 503, error: "503" };
    commit({
      inserted: [
        aJobRow(),
        aJobRow({ workflowId }),
        aJobRow({ workflowId, parentId: "parent" as JobId }),
      ],
      updated: [
        aJobRow({ state: "SUCCEEDED", endedAt: NOW }),
        aJobRow({ state: "FAILED", endedAt: before }),
        aJobRow({ state: "RUNNING" }),
      ],
      workflows: [
        { state: "RUNNING", createdAt: NOW, endedAt: null },
        { state: "CANCELLED", createdAt: before, endedAt: NOW },
        { state: "FAILED", createdAt: before, endedAt: before },
      ] as WorkflowRow[],
      deliveries: [
        delivery,
        { ...delivery, hookId: "hook", state: "FAILED", tries: 8, createdAt: before, endedAt: NOW },
      ] as DeliveryRow[],
      hooks: [
        { pausedAt: NOW, failures: LIMITS.hookFailures },
        { pausedAt: NOW, failures: 1 },
        { pausedAt: before, failures: LIMITS.hookFailures },
      ] as HookRow[],
      points: [
        { resolution: "MINUTE" },
        { resolution: "MINUTE" },
        { resolution: "DAY" },
      ] as PointRow[],
      tries: [
        tried,
        { ...tried, status: 404 },
        { ...tried, status: 302 },
        { ...tried, status: 0, error: "it did not answer" },
        { ...tried, status: 200, error: "" },
      ] as DeliveryTryRow[],
    });
    expect(await pointsOf("millrace.jobs.submitted")).toEqual({
      caller: 1,
      workflow: 1,
      parent: 1,
    });
    expect(await pointsOf("millrace.jobs.ended")).toEqual({ succeeded: 1 });
    expect(await pointsOf("millrace.workflows.submitted")).toEqual({ "": 1 });
    expect(await pointsOf("millrace.workflows.ended")).toEqual({ cancelled: 1 });
    expect(await pointsOf("millrace.deliveries.owed")).toEqual({ callback: 1 });
    expect(await pointsOf("millrace.deliveries.ended")).toEqual({ "hook failed": 1 });
    expect(await pointsOf("millrace.delivery.tries")).toEqual({ "": 8 });
    expect(await pointsOf("millrace.hooks.paused")).toEqual({ "": 1 });
    expect(await pointsOf("millrace.metric.points.written")).toEqual({ minute: 2, day: 1 });
    expect(await pointsOf("millrace.delivery.try.duration")).toEqual({
      unavailable: 0.5,
      refused: 0.5,
      redirected: 0.5,
      no_answer: 0.5,
      delivered: 0.5,
    });
  });

  it("read the shards whenever somebody collects; nothing that waits has an age of zero", async () => {
    const shard = { shardId: 0, queued: 2, running: 3, waiting: 4, oldestQueuedAt: 5_000 };
    let stats = [shard, { ...shard, oldestQueuedAt: null }];
    let noticesDueSince: number | null = 2_000;
    observeShards(meters, () => ({ stats, known: 16, noticesDueSince, now: 9_000 }));
    expect(await pointsOf("millrace.queue.oldest.age")).toEqual({ "": 4 });
    expect(await pointsOf("millrace.jobs.active")).toEqual({ queued: 4, running: 6, waiting: 8 });
    expect(await pointsOf("millrace.shards.owned")).toEqual({ "": 2 });
    expect(await pointsOf("millrace.shards.known")).toEqual({ "": 16 });
    expect(await pointsOf("millrace.deliveries.oldest.age")).toEqual({ "": 7 });
    stats = [];
    noticesDueSince = null;
    expect(await pointsOf("millrace.deliveries.oldest.age")).toEqual({ "": 0 });
    expect(await pointsOf("millrace.queue.oldest.age")).toEqual({ "": 0 });
  });
});

describe("the instruments of a runner", () => {
  it("tell slots, children, kills, wear and canaries", async () => {
    runner.slots(() => ({ all: 8, busy: 3 }));
    runner.children(() => [{ state: "idle" }, { state: "busy" }, { state: "busy" }]);
    runner.childStarted();
    runner.childKilled("memory");
    runner.childKilled("runner.crashed");
    runner.childWorn("cleanUpMs");
    runner.canaryEnded(true);
    runner.quarantined();
    expect(await pointsOf("millrace.runner.slots")).toEqual({ busy: 3, free: 5 });
    expect(await pointsOf("millrace.runner.sandbox.children")).toEqual({
      starting: 0,
      idle: 1,
      busy: 2,
    });
    expect(await pointsOf("millrace.runner.sandbox.starts")).toEqual({ "": 1 });
    expect(await pointsOf("millrace.runner.sandbox.kills")).toEqual({ memory: 1, misbehaved: 1 });
    expect(await pointsOf("millrace.runner.sandbox.worn")).toEqual({ clean_up: 1 });
    expect(await pointsOf("millrace.runner.sandbox.canaries")).toEqual({ contained: 1 });
    expect(await pointsOf("millrace.runner.quarantine.refusals")).toEqual({ "": 1 });
  });

  it("have as many series for a thousand types, upstreams and codes as for two", async () => {
    const usage = { runMs: 1_000, cpuMs: 1, peakMemoryBytes: 1 };
    const drive = (from: number, to: number): void => {
      for (let n = from; n < to; n += 1) {
        runner.attemptEnded({ capability: "script", outcome: "failed", code: `my.${n}`, ...usage });
        runner.attemptEnded({ capability: `wild${n}`, outcome: "succeeded", code: "", ...usage });
        runner.fetchEnded({ to: `upstream${n}`, outcome: `quota.${n}`, durationMs: 5 });
      }
    };
    drive(0, 2);
    expect(await pointsOf("millrace.runner.attempts")).toEqual({
      "script failed other": 2,
      "other succeeded": 2,
    });
    expect(await pointsOf("millrace.runner.egress.duration")).toEqual({ "upstream quota": 0.01 });
    drive(2, 1_000);
    expect(Object.keys(await pointsOf("millrace.runner.attempts"))).toHaveLength(2);
    expect(Object.keys(await pointsOf("millrace.runner.egress.duration"))).toHaveLength(1);
  });
});

describe("every instrument", () => {
  const all: readonly Spec[] = ALL;

  it("has a name of its own, a unit in UCUM, and explicit buckets that rise if it is a histogram", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const spec of all) {
      expect(spec.name).toMatch(/^(rpc|millrace)(\.[a-z]+)+$/);
      expect(spec.unit).toMatch(/^(s|By|\{[a-z]+\})$/);
      if (spec.kind !== "histogram") continue;
      expect(spec.buckets?.length).toBeGreaterThan(5);
      expect(spec.buckets?.toSorted((a, b) => a - b)).toEqual(spec.buckets);
    }
  });

  it("of ours begins with millrace, its attributes too, but for those of the conventions", () => {
    const attributes = all.flatMap((spec) => Object.keys(spec.attributes));
    for (const name of attributes) expect(name).toMatch(/^(millrace\.|rpc\.|error\.type$)/);
  });
});
