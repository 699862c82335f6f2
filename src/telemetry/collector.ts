import type { LogRecordProcessor } from "@opentelemetry/sdk-logs";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";

import type { OtelSettings } from "../config/otel.ts";
import type { Log } from "../runtime/log.ts";
import { hearSdk } from "./diagnostics.ts";
import { logExporter, metricExporter, traceExporter } from "./exporters.ts";
import { linkedSampler } from "./sampler.ts";
import type { Sending } from "./sending.ts";

export type CollectorOptions = {
  readonly service: string;
  readonly instance: string;
  readonly otel: OtelSettings;
  /** Besides the one that sends to the collector. */
  readonly readers: readonly IMetricReader[];
  readonly sending: Sending;
  /** For what the SDK says of itself. Its lines must not be sent: sending them would make more of them. */
  readonly ownLog: Log;
};

const spanProcessors = async ({ otel, sending }: CollectorOptions): Promise<SpanProcessor[]> => {
  if (otel.sent.TRACES === null) return [];
  const { BatchSpanProcessor } = await import("@opentelemetry/sdk-trace");
  const room = sending.room("traces", otel.spans.maxQueueSize);
  const exporter = sending.watch(
    "traces",
    await traceExporter(otel.sent.TRACES),
    ({ length }) => length,
    room,
  );
  const batches = new BatchSpanProcessor({ ...otel.spans, exporter });
  return [
    {
      onStart: () => {},
      onEnd: (span) => {
        if (room.admit()) batches.onEnd(span);
      },
      forceFlush: async () => await batches.forceFlush(),
      shutdown: async () => await batches.shutdown(),
    },
  ];
};

const logRecordProcessors = async ({
  otel,
  sending,
}: CollectorOptions): Promise<LogRecordProcessor[]> => {
  if (otel.sent.LOGS === null) return [];
  const { BatchLogRecordProcessor } = await import("@opentelemetry/sdk-logs");
  const room = sending.room("logs", otel.logs.maxQueueSize);
  const exporter = sending.watch(
    "logs",
    await logExporter(otel.sent.LOGS),
    ({ length }) => length,
    room,
  );
  const batches = new BatchLogRecordProcessor({ ...otel.logs, exporter });
  return [
    {
      onEmit: (record) => {
        if (room.admit()) batches.onEmit(record);
      },
      forceFlush: async () => await batches.forceFlush(),
      shutdown: async () => await batches.shutdown(),
    },
  ];
};

/** Metrics are collected when they are sent: they do not wait. */
const NO_ROOM = { leave: () => {} };

const metricReaders = async ({
  otel,
  sending,
  readers,
}: CollectorOptions): Promise<IMetricReader[]> => {
  if (otel.sent.METRICS === null) return [...readers];
  const { PeriodicExportingMetricReader } = await import("@opentelemetry/sdk-metrics");
  const exporter = sending.watch(
    "metrics",
    await metricExporter(otel.sent.METRICS),
    () => 1,
    NO_ROOM,
  );
  return [new PeriodicExportingMetricReader({ ...otel.metrics, exporter }), ...readers];
};

/** The SDK, with what it sends to the collector that OTEL_EXPORTER_OTLP_* names. */
export const startSdk = async (options: CollectorOptions): Promise<() => Promise<void>> => {
  const [{ NodeSDK }, { envDetector, hostDetector, osDetector, resourceFromAttributes }] =
    await Promise.all([import("@opentelemetry/sdk-node"), import("@opentelemetry/resources")]);
  const sdk = new NodeSDK({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last, and win.
    resource: resourceFromAttributes({
      "service.name": options.service,
      "service.instance.id": options.instance,
    }),
    resourceDetectors: [hostDetector, osDetector, envDetector],
    sampler: linkedSampler(options.otel.sampler),
    spanProcessors: await spanProcessors(options),
    metricReaders: await metricReaders(options),
    logRecordProcessors: await logRecordProcessors(options),
  });
  // After it was made: it would have its own way of saying things.
  hearSdk(options.ownLog, options.otel.logLevel);
  sdk.start();
  return async () => await sdk.shutdown();
};
