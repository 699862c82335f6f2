/** A collector: OTLP over HTTP, read by the contract that OpenTelemetry publishes (third_party/). */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { buffer } from "node:stream/consumers";

import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const ROOT = fileURLToPath(new URL("../../third_party/opentelemetry-proto", import.meta.url));
const CONTRACT = loadSync(
  ["trace", "metrics", "logs"].map(
    (signal) => `opentelemetry/proto/collector/${signal}/v1/${signal}_service.proto`,
  ),
  { includeDirs: [ROOT], longs: Number, enums: String, defaults: true, oneofs: true },
);

export type Facts = Readonly<Record<string, unknown>>;

export type SunkSpan = {
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the root of its trace. */
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Facts;
};

export type SunkMetric = {
  readonly service: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: string;
  readonly points: readonly { readonly attributes: Facts; readonly bounds: readonly number[] }[];
};

export type SunkLog = {
  readonly service: string;
  readonly severity: string;
  readonly body: unknown;
  readonly traceId: string;
  readonly attributes: Facts;
};

export type OtlpSink = {
  readonly endpoint: string;
  readonly spans: readonly SunkSpan[];
  readonly metrics: readonly SunkMetric[];
  readonly logs: readonly SunkLog[];
  /** Of each program that sent anything, by the name of the service. */
  readonly resources: ReadonlyMap<string, Facts>;
  close(): Promise<void>;
};

/** Messages as @grpc/proto-loader reads them, as far as we look. */
type AnyValue = { readonly value: string } & Facts;
type KeyValue = { readonly key: string; readonly value: AnyValue | null };
type WireLink = { readonly traceId: Buffer; readonly spanId: Buffer };
type WireSpan = WireLink & {
  readonly name: string;
  readonly kind: string;
  readonly parentSpanId: Buffer;
  readonly links: readonly WireLink[];
  readonly startTimeUnixNano: number;
  readonly endTimeUnixNano: number;
  readonly attributes: readonly KeyValue[];
};
type WirePoint = {
  readonly attributes: readonly KeyValue[];
  readonly explicitBounds?: readonly number[];
};
type WireData = { readonly dataPoints: readonly WirePoint[] };
type WireMetric = {
  readonly name: string;
  readonly unit: string;
  readonly data: "sum" | "gauge" | "histogram";
} & Readonly<Record<"sum" | "gauge" | "histogram", WireData | undefined>>;
type WireLog = {
  readonly severityText: string;
  readonly body: AnyValue | null;
  readonly traceId: Buffer;
  readonly attributes: readonly KeyValue[];
};
type Resource = { readonly resource: { readonly attributes: readonly KeyValue[] } };
type Message = {
  readonly resourceSpans?: readonly (Resource & {
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  })[];
  readonly resourceMetrics?: readonly (Resource & {
    readonly scopeMetrics: readonly { readonly metrics: readonly WireMetric[] }[];
  })[];
  readonly resourceLogs?: readonly (Resource & {
    readonly scopeLogs: readonly { readonly logRecords: readonly WireLog[] }[];
  })[];
};

const unwrapped = (value: AnyValue | null): unknown => value?.[value.value];
const factsOf = (pairs: readonly KeyValue[]): Facts =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, unwrapped(value)]));
const hex = (bytes: Buffer): string => bytes.toString("hex");
const millis = (nanos: number): number => nanos / 1_000_000;

const idsOf = ({ traceId, spanId }: WireLink) => ({ traceId: hex(traceId), spanId: hex(spanId) });

const spanOf = (service: string, span: WireSpan): SunkSpan => ({
  ...idsOf(span),
  service,
  name: span.name,
  kind: span.kind,
  parentSpanId: hex(span.parentSpanId),
  links: span.links.map(idsOf),
  startMs: millis(span.startTimeUnixNano),
  endMs: millis(span.endTimeUnixNano),
  attributes: factsOf(span.attributes),
});

const metricOf = (service: string, metric: WireMetric): SunkMetric => ({
  service,
  name: metric.name,
  unit: metric.unit,
  kind: metric.data,
  points: (metric[metric.data]?.dataPoints ?? []).map(({ attributes, explicitBounds }) => ({
    attributes: factsOf(attributes),
    bounds: explicitBounds ?? [],
  })),
});

const logOf = (service: string, log: WireLog): SunkLog => ({
  service,
  severity: log.severityText,
  body: unwrapped(log.body),
  traceId: hex(log.traceId),
  attributes: factsOf(log.attributes),
});

const SERVICES = {
  "/v1/traces": "opentelemetry.proto.collector.trace.v1.TraceService",
  "/v1/metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
  "/v1/logs": "opentelemetry.proto.collector.logs.v1.LogsService",
} as const;

const decode = (path: keyof typeof SERVICES, body: Buffer): Message =>
  (CONTRACT[SERVICES[path]] as ServiceDefinition)["Export"]?.requestDeserialize(body) as Message;

export const startOtlpSink = async (): Promise<OtlpSink> => {
  const spans: SunkSpan[] = [];
  const metrics: SunkMetric[] = [];
  const logs: SunkLog[] = [];
  const resources = new Map<string, Facts>();

  const serviceOf = ({ resource }: Resource): string => {
    const facts = factsOf(resource.attributes);
    const service = String(facts["service.name"]);
    resources.set(service, facts);
    return service;
  };

  const take = ({ resourceSpans, resourceMetrics, resourceLogs }: Message): void => {
    for (const from of resourceSpans ?? []) {
      const service = serviceOf(from);
      const all = from.scopeSpans.flatMap((scope) => scope.spans);
      spans.push(...all.map((span) => spanOf(service, span)));
    }
    for (const from of resourceMetrics ?? []) {
      const service = serviceOf(from);
      const all = from.scopeMetrics.flatMap((scope) => scope.metrics);
      metrics.push(...all.map((metric) => metricOf(service, metric)));
    }
    for (const from of resourceLogs ?? []) {
      const service = serviceOf(from);
      const all = from.scopeLogs.flatMap((scope) => scope.logRecords);
      logs.push(...all.map((log) => logOf(service, log)));
    }
  };

  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const isOtlp = request.headers["content-type"] === "application/x-protobuf";
      if (isOtlp && (request.url ?? "") in SERVICES) {
        take(decode(request.url as keyof typeof SERVICES, body));
      } else response.statusCode = 415;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    metrics,
    logs,
    resources,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
