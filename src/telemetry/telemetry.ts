import { logs, metrics, type Meter, type Tracer, trace } from "@opentelemetry/api";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";

import { sleep, systemClock } from "../runtime/clock.ts";
import type { OtelSettings } from "../config/otel.ts";
import type { Log } from "../runtime/log.ts";
import { logRecords } from "./log-records.ts";
import { createLog, type LogOptions } from "./log.ts";
import { createMeters, type Meters } from "./meters.ts";
import { SENDING_TABLE } from "./tables/sending.ts";

/**
 * OpenTelemetry and logs of one process, server or runner. The SDK takes half a second to load, so it
 * is loaded only where a collector was named; a Prometheus endpoint alone needs the small metrics
 * part of it.
 */
export type Telemetry = {
  readonly log: Log;
  readonly meter: Meter;
  readonly tracer: Tracer;
  /** False: all spans are for nothing. */
  readonly traces: boolean;
  /** Sends what is left, for at most so long as a collector that does not answer is waited for. */
  stop(): Promise<void>;
};

export type TelemetryOptions = {
  readonly service: string;
  readonly instance: string;
  readonly logLevel: LogOptions["level"];
  /** Where Prometheus collects `/metrics`; null: nowhere. */
  readonly metricsListen: { readonly host: string; readonly port: number } | null;
  /** The variable that says so, for the words of a failure. */
  readonly metricsVariable: string;
  readonly otel: OtelSettings;
};

const SCOPE = "millrace";
const LONGEST_FLUSH_MS = 5_000;

/** None if the address cannot be had: numbers are not worth a program that does not start. */
const prometheusReaders = async (
  { metricsListen, metricsVariable }: TelemetryOptions,
  log: Log,
): Promise<readonly IMetricReader[]> => {
  if (metricsListen === null) return [];
  const { PrometheusExporter } = await import("@opentelemetry/exporter-prometheus");
  const reader = new PrometheusExporter({ ...metricsListen, preventServerStart: true });
  try {
    await reader.startServer();
    return [reader];
  } catch (cause) {
    const why = `no Prometheus endpoint: set ${metricsVariable} to a free address, or to off`;
    log.error({ err: cause, ...metricsListen }, why);
    return [];
  }
};

type Metering = { readonly meter: Meter; stop(): Promise<void> };

const withCollector = async (
  options: TelemetryOptions,
  readers: readonly IMetricReader[],
  log: Log,
): Promise<Metering> => {
  const { service, instance, logLevel: level, otel } = options;
  const [{ startSdk }, { createSending }] = await Promise.all([
    import("./collector.ts"),
    import("./sending.ts"),
  ]);
  let meters: Meters<typeof SENDING_TABLE> | null = null;
  const sending = createSending({ clock: systemClock, log, meters: () => meters });
  const ownLog = createLog({ level, facts: { service, instance } });
  const stop = await startSdk({ service, instance, otel, readers, sending, ownLog });
  const meter = metrics.getMeter(SCOPE);
  meters = createMeters(meter, SENDING_TABLE);
  return { meter, stop };
};

const withPrometheus = async (
  { service, instance }: TelemetryOptions,
  readers: readonly IMetricReader[],
): Promise<Metering> => {
  if (readers.length === 0) return { meter: metrics.getMeter(SCOPE), stop: async () => {} };
  const [{ MeterProvider }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/resources"),
  ]);
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      "service.name": service,
      "service.instance.id": instance,
    }),
    readers: [...readers],
  });
  return { meter: provider.getMeter(SCOPE), stop: async () => await provider.shutdown() };
};

export const startTelemetry = async (options: TelemetryOptions): Promise<Telemetry> => {
  const { service, instance, logLevel: level, otel } = options;
  let heard = (_line: string): void => {};
  const log = createLog({ level, facts: { service, instance }, heard: (line) => heard(line) });
  const readers = await prometheusReaders(options, log);
  const collected = Object.values(otel.sent).some((protocol) => protocol !== null);
  const start = collected ? withCollector : withPrometheus;
  const { meter, stop } = await start(options, readers, log);
  if (otel.sent.LOGS !== null) heard = logRecords(logs.getLogger(SCOPE));
  return {
    log,
    meter,
    tracer: trace.getTracer(SCOPE),
    traces: otel.sent.TRACES !== null,
    stop: async () => {
      const enough = new AbortController();
      const late = sleep(systemClock, LONGEST_FLUSH_MS, enough.signal).catch(() => {});
      try {
        await Promise.race([stop(), late]);
      } catch (cause) {
        log.warn({ err: cause }, "not all metrics, traces and logs reached their collector");
      } finally {
        enough.abort();
      }
    },
  };
};
