/** What a collector hears, by the contract that OpenTelemetry publishes (third_party/). */
import { fileURLToPath } from "node:url";

import { loadSync } from "@grpc/proto-loader";

const ROOT = fileURLToPath(new URL("../../third_party/opentelemetry-proto", import.meta.url));
export const CONTRACT = loadSync(
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

/** Everything that a collector has heard. */
export type Sunk = {
  readonly spans: readonly SunkSpan[];
  readonly metrics: readonly SunkMetric[];
  readonly logs: readonly SunkLog[];
  /** Of each program that sent anything, by the name of the service. */
  readonly resources: ReadonlyMap<string, Facts>;
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
export type Message = {
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

export const SERVICES = {
  "/v1/traces": "opentelemetry.proto.collector.trace.v1.TraceService",
  "/v1/metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
  "/v1/logs": "opentelemetry.proto.collector.logs.v1.LogsService",
} as const;

export const createSunk = (): Sunk & { take(message: Message): void } => {
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

  return { spans, metrics, logs, resources, take };
};
