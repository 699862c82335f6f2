import type { IMetricReader } from "@opentelemetry/sdk-metrics";

import { isSent, type Otel } from "./otel.ts";
import { linkedSampler } from "./sampler.ts";

export type CollectorOptions = {
  readonly service: string;
  readonly instance: string;
  readonly otel: Otel;
  /** Besides the one that sends to the collector. */
  readonly readers: readonly IMetricReader[];
};

/** The SDK, with what it sends to the collector that OTEL_EXPORTER_OTLP_* names: OTLP/HTTP, protobuf. */
export const startSdk = async (options: CollectorOptions): Promise<() => Promise<void>> => {
  const { otel } = options;
  const [
    { NodeSDK },
    { OTLPTraceExporter },
    { OTLPMetricExporter },
    { OTLPLogExporter },
    { PeriodicExportingMetricReader },
    { BatchLogRecordProcessor },
    { envDetector, hostDetector, osDetector, resourceFromAttributes },
  ] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/exporter-metrics-otlp-proto"),
    import("@opentelemetry/exporter-logs-otlp-proto"),
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/sdk-logs"),
    import("@opentelemetry/resources"),
  ]);
  const sampler = linkedSampler(otel);
  const sdk = new NodeSDK({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last, and win.
    resource: resourceFromAttributes({
      "service.name": options.service,
      "service.instance.id": options.instance,
    }),
    resourceDetectors: [hostDetector, osDetector, envDetector],
    ...(isSent(otel, "TRACES")
      ? { traceExporter: new OTLPTraceExporter() }
      : { spanProcessors: [] }),
    ...(sampler === null ? {} : { sampler }),
    metricReaders: [
      ...(isSent(otel, "METRICS")
        ? [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })]
        : []),
      ...options.readers,
    ],
    logRecordProcessors: isSent(otel, "LOGS")
      ? [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })]
      : [],
  });
  sdk.start();
  return async () => await sdk.shutdown();
};
