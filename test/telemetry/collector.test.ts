import { context, diag, logs, metrics, propagation, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, describe, expect, it, vi } from "vitest";

import { readOtel } from "../../src/config/otel.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { startSdk } from "../../src/telemetry/collector.ts";
import { createMeters, type Meters } from "../../src/telemetry/meters.ts";
import { createSending } from "../../src/telemetry/sending.ts";
import { SENDING_TABLE } from "../../src/telemetry/tables/sending.ts";
import { eventually } from "../support/eventually.ts";
import { type OtlpSink, startGrpcSink, startOtlpSink } from "../support/otlp-sink.ts";

/** Small, so that little is much; quick to give a batch up. */
const IMPATIENT = {
  OTEL_EXPORTER_OTLP_TIMEOUT: "100",
  OTEL_BSP_MAX_QUEUE_SIZE: "10",
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "5",
  OTEL_BSP_SCHEDULE_DELAY: "1",
  OTEL_BLRP_MAX_QUEUE_SIZE: "10",
  OTEL_BLRP_SCHEDULE_DELAY: "1",
  OTEL_METRICS_EXPORTER: "none",
};

const stack: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
  vi.unstubAllEnvs();
  for (const api of [trace, metrics, logs, context, propagation, diag]) api.disable();
});

type Line = { readonly level: string; readonly signal: unknown; readonly message: string };

/** The SDK in this process, as a program has it, and what it says and counts. */
const start = async (environment: Readonly<Record<string, string>>) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const lines: Line[] = [];
  const say = (level: string) => (facts: object, message: string) =>
    lines.push({ level, signal: "signal" in facts ? facts.signal : "", message });
  const log = { ...silentLog, info: say("info"), warn: say("warn") };
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  let meters: Meters<typeof SENDING_TABLE> | null = null;
  const sending = createSending({ clock: systemClock, log, meters: () => meters });
  const faults: string[] = [];
  const otel = readOtel(environment, faults);
  expect(faults).toEqual([]);
  const who = { service: "tested", instance: "1" };
  const stop = await startSdk({ ...who, otel, readers: [reader], sending, ownLog: log });
  stack.push(stop);
  meters = createMeters(metrics.getMeter("test"), SENDING_TABLE);
  return {
    lines,
    stop,
    spans: (count: number) => {
      for (let n = 0; n < count; n += 1) trace.getTracer("test").startSpan(`span ${n}`).end();
    },
    records: (count: number) => {
      for (let n = 0; n < count; n += 1) logs.getLogger("test").emit({ body: `record ${n}` });
    },
    /** What was counted, by signal and reason. */
    lost: async () => {
      await reader.forceFlush();
      const all = exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics);
      const found = all?.find(({ descriptor }) => descriptor.name === SENDING_TABLE.lost.name);
      const points = found?.dataPoints.map(({ attributes, value }) => [
        Object.values(attributes).join(" "),
        value,
      ]);
      return Object.fromEntries(points ?? []) as Record<string, number>;
    },
  };
};

const sinkFor = async (): Promise<OtlpSink> => {
  const sink = await startOtlpSink();
  stack.push(sink.close);
  return sink;
};

describe("what is sent to a collector", () => {
  it("arrives by gRPC: spans, metrics and log records", async () => {
    const sink = await startGrpcSink();
    stack.push(sink.close);
    const { spans, records, stop } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_SERVICE_NAME: "by-grpc",
    });
    spans(1);
    records(1);
    await stop();
    expect(sink.spans).toMatchObject([{ service: "by-grpc", name: "span 0" }]);
    expect(sink.logs).toMatchObject([{ service: "by-grpc", body: "record 0" }]);
    expect(sink.metrics.map(({ name }) => name)).toContain(SENDING_TABLE.lost.name);
  });

  it("arrives as JSON, with the protocol of one signal before that of all", async () => {
    const sink = await sinkFor();
    const { spans, records, stop } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/protobuf",
    });
    spans(1);
    records(1);
    await stop();
    expect(sink.json.get("/v1/traces")).toContain('"name":"span 0"');
    expect(sink.json.get("/v1/metrics")).toContain(SENDING_TABLE.sendings.name);
    expect(sink.logs).toMatchObject([{ body: "record 0" }]);
  });
});

describe("a collector that is away", () => {
  const AWAY = "the collector does not take what is sent to it";

  it("is told of once for each signal, and once when it is back; what is lost is counted", async () => {
    const sink = await sinkFor();
    sink.behave("refuse");
    const { spans, records, lines, lost } = await start({
      ...IMPATIENT,
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint,
    });
    const until = async (wanted: Readonly<Record<string, number>>): Promise<void> => {
      await eventually(async () => expect(await lost()).toMatchObject(wanted));
    };
    spans(5);
    records(5);
    await until({ "traces failed": 5, "logs failed": 5 });
    spans(5);
    records(5);
    await until({ "traces failed": 10, "logs failed": 10 });
    expect(lines).toHaveLength(2);
    expect(lines).toEqual(
      expect.arrayContaining([
        { level: "warn", signal: "traces", message: AWAY },
        { level: "warn", signal: "logs", message: AWAY },
      ]),
    );
    sink.behave("take");
    spans(1);
    await eventually(() => expect(lines).toHaveLength(3));
    expect(lines.at(-1)).toMatchObject({ level: "info", signal: "traces" });
    expect(sink.spans).toHaveLength(1);
  });

  it("holds nobody up while it hangs: what is too much is left out and counted", async () => {
    const sink = await sinkFor();
    sink.behave("hang");
    const { spans, records, lines, lost } = await start({
      ...IMPATIENT,
      OTEL_EXPORTER_OTLP_TIMEOUT: "60000",
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint,
    });
    // A batch of each is on its way, and never comes back.
    spans(5);
    records(10);
    await eventually(() => expect(sink.asked()).toBe(2));
    spans(1_000);
    records(1_000);
    expect(await lost()).toMatchObject({ "traces queue_full": 990, "logs queue_full": 990 });
    expect(lines.map(({ signal }) => signal)).toEqual(["traces", "logs"]);
    sink.behave("take");
  });
});
