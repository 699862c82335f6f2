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

type AnyValue = { readonly value: string } & Record<string, unknown>;
type KeyValue = { readonly key: string; readonly value: AnyValue };
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

/* eslint-disable typescript/no-explicit-any -- messages as protobufjs makes them */
type Message = Record<string, any>;

const unwrapped = (value: AnyValue | null): unknown => value?.[value.value];
const factsOf = (pairs: readonly KeyValue[]): Facts =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, unwrapped(value)]));
const hex = (bytes: Buffer): string => bytes.toString("hex");
const millis = (nanos: number): number => nanos / 1_000_000;

const spanOf = (service: string, span: Message): SunkSpan => ({
  service,
  name: span["name"],
  kind: span["kind"],
  traceId: hex(span["traceId"]),
  spanId: hex(span["spanId"]),
  parentSpanId: hex(span["parentSpanId"]),
  links: span["links"].map((link: Message) => ({
    traceId: hex(link["traceId"]),
    spanId: hex(link["spanId"]),
  })),
  startMs: millis(span["startTimeUnixNano"]),
  endMs: millis(span["endTimeUnixNano"]),
  attributes: factsOf(span["attributes"]),
});

const metricOf = (service: string, metric: Message): SunkMetric => ({
  service,
  name: metric["name"],
  unit: metric["unit"],
  kind: metric["data"],
  points: metric[metric["data"]]["dataPoints"].map((point: Message) => ({
    attributes: factsOf(point["attributes"]),
    bounds: point["explicitBounds"] ?? [],
  })),
});

const logOf = (service: string, log: Message): SunkLog => ({
  service,
  severity: log["severityText"],
  body: unwrapped(log["body"]),
  traceId: hex(log["traceId"]),
  attributes: factsOf(log["attributes"]),
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

  const resource = (message: Message): string => {
    const facts = factsOf(message["resource"]["attributes"]);
    const service = String(facts["service.name"]);
    resources.set(service, facts);
    return service;
  };

  const take = (path: keyof typeof SERVICES, body: Buffer): void => {
    const message = decode(path, body);
    for (const from of message["resourceSpans"] ?? []) {
      const service = resource(from);
      for (const scope of from["scopeSpans"]) {
        spans.push(...scope["spans"].map((span: Message) => spanOf(service, span)));
      }
    }
    for (const from of message["resourceMetrics"] ?? []) {
      const service = resource(from);
      for (const scope of from["scopeMetrics"]) {
        metrics.push(...scope["metrics"].map((metric: Message) => metricOf(service, metric)));
      }
    }
    for (const from of message["resourceLogs"] ?? []) {
      const service = resource(from);
      for (const scope of from["scopeLogs"]) {
        logs.push(...scope["logRecords"].map((log: Message) => logOf(service, log)));
      }
    }
  };

  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const isOtlp = request.headers["content-type"] === "application/x-protobuf";
      if (isOtlp && (request.url ?? "") in SERVICES) {
        take(request.url as keyof typeof SERVICES, body);
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
