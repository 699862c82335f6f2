import { metrics, type Meter, type Tracer, trace } from "@opentelemetry/api";

import type { Log } from "../runtime/log.ts";
import { createInstruments, type Instruments } from "./instruments.ts";
import { createLog, type LogOptions } from "./log.ts";

/**
 * OpenTelemetry and logs of one process. The SDK takes half a second to load, so it is loaded only
 * where a collector was named; a Prometheus endpoint alone needs the small metrics part of it.
 */
export type Telemetry = {
  readonly log: Log;
  readonly instruments: Instruments;
  readonly tracer: Tracer;
  /** Sends what is left. */
  stop(): Promise<void>;
};

export type TelemetryOptions = {
  readonly service: string;
  readonly instance: string;
  readonly logLevel: LogOptions["level"];
  /** Where Prometheus collects `/metrics`; null: nowhere. */
  readonly metricsListen: { readonly host: string; readonly port: number } | null;
  /** Send to the collector that OTEL_EXPORTER_OTLP_* names. */
  readonly otlp: boolean;
};

type Metering = { readonly meter: Meter; stop(): Promise<void> };

const SCOPE = "millrace";

/** Null if the address cannot be had: numbers are not worth a server that does not start. */
const prometheusReader = async ({ metricsListen }: TelemetryOptions, log: Log) => {
  if (metricsListen === null) return null;
  const { PrometheusExporter } = await import("@opentelemetry/exporter-prometheus");
  const reader = new PrometheusExporter({ ...metricsListen, preventServerStart: true });
  try {
    await reader.startServer();
    return reader;
  } catch (cause) {
    log.error(
      { err: cause, ...metricsListen },
      "no Prometheus endpoint: set MILLRACE_METRICS_LISTEN to a free address, or to off",
    );
    return null;
  }
};

const withCollector = async (options: TelemetryOptions, log: Log): Promise<Metering> => {
  const [
    { NodeSDK },
    { OTLPTraceExporter },
    { OTLPMetricExporter },
    { PeriodicExportingMetricReader },
    { resourceFromAttributes },
  ] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/exporter-metrics-otlp-proto"),
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/resources"),
  ]);
  const prometheus = await prometheusReader(options, log);
  const sdk = new NodeSDK({
    serviceName: options.service,
    resource: resourceFromAttributes({ "service.instance.id": options.instance }),
    traceExporter: new OTLPTraceExporter(),
    metricReaders: [
      new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() }),
      ...(prometheus === null ? [] : [prometheus]),
    ],
    logRecordProcessors: [],
  });
  sdk.start();
  return { meter: metrics.getMeter(SCOPE), stop: async () => await sdk.shutdown() };
};

const withPrometheus = async (options: TelemetryOptions, log: Log): Promise<Metering> => {
  const reader = await prometheusReader(options, log);
  if (reader === null) return withoutMeasuring;
  const [{ MeterProvider }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/resources"),
  ]);
  const resource = resourceFromAttributes({
    "service.name": options.service,
    "service.instance.id": options.instance,
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  return { meter: provider.getMeter(SCOPE), stop: async () => await provider.shutdown() };
};

const withoutMeasuring: Metering = {
  meter: metrics.getMeter(SCOPE),
  stop: async () => await Promise.resolve(),
};

export const startTelemetry = async (options: TelemetryOptions): Promise<Telemetry> => {
  const log = createLog({
    level: options.logLevel,
    facts: { service: options.service, instance: options.instance },
  });
  const { meter, stop } = await (options.otlp
    ? withCollector(options, log)
    : withPrometheus(options, log));
  return { log, instruments: createInstruments(meter), tracer: trace.getTracer(SCOPE), stop };
};
