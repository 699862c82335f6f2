import { describe, expect, it } from "vitest";

import { readOtel } from "../../src/config/otel.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

const read = (environment: Readonly<Record<string, string>>) => {
  const faults: string[] = [];
  return { ...readOtel(environment, faults), faults };
};
const faultsOf = (environment: Readonly<Record<string, string>>) =>
  read({ ...ENDPOINT, ...environment }).faults;

describe("the OTEL_* variables", () => {
  it("send nothing unless a collector is named, and are not looked at then", () => {
    const { sent, faults } = read({ OTEL_EXPORTER_OTLP_PROTOCOL: "carrier pigeon" });
    expect(sent).toEqual({ TRACES: null, METRICS: null, LOGS: null });
    expect(faults).toEqual([]);
    expect(read({ ...ENDPOINT, OTEL_SDK_DISABLED: "True" }).sent.TRACES).toBeNull();
  });

  it("say how each signal is sent, and which one is not", () => {
    const { sent, faults } = read({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json",
      OTEL_LOGS_EXPORTER: "none",
    });
    expect({ sent, faults }).toEqual({
      sent: { TRACES: "grpc", METRICS: "http/json", LOGS: null },
      faults: [],
    });
    const one = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces:4318/v1/traces" };
    expect(read(one).sent).toEqual({ TRACES: "http/protobuf", METRICS: null, LOGS: null });
  });

  it("are read as the specification has it: empty is not set, a batch is no larger than its queue", () => {
    const settings = read({
      ...ENDPOINT,
      OTEL_TRACES_SAMPLER: "",
      OTEL_BSP_MAX_QUEUE_SIZE: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "250",
      OTEL_METRIC_EXPORT_INTERVAL: "5000",
    });
    expect(settings.faults).toEqual([]);
    expect(settings.sampler).toEqual({ name: "parentbased_always_on", ratio: 1 });
    expect(settings.spans).toMatchObject({ maxQueueSize: 100, maxExportBatchSize: 100 });
    expect(settings.logs).toMatchObject({ maxQueueSize: 2_048, scheduledDelayMillis: 250 });
    expect(settings.metrics).toEqual({ exportIntervalMillis: 5_000, exportTimeoutMillis: 5_000 });
  });

  it.each([
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "thrift", "http/protobuf, http/json, grpc"],
    ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http", "http/protobuf, http/json, grpc"],
    ["OTEL_TRACES_EXPORTER", "zipkin", "otlp, none"],
    ["OTEL_METRICS_EXPORTER", "prometheus", "otlp, none"],
    ["OTEL_TRACES_SAMPLER", "xray", "always_on"],
    ["OTEL_TRACES_SAMPLER_ARG", "2", "a ratio from 0 to 1"],
    ["OTEL_BSP_MAX_QUEUE_SIZE", "0", "a whole number from 1"],
    ["OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip, none"],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector", "an http or https URL"],
    ["OTEL_PROPAGATORS", "jaeger", "a list of tracecontext"],
  ])("of which %s cannot be %s", (name, value, allowed) => {
    expect(faultsOf({ [name]: value })).toEqual([
      expect.stringContaining(`${name} is "${value}"; allowed: ${allowed}`),
    ]);
  });

  it("refuse an address without a scheme for all but gRPC, and a file that would stand for them all", () => {
    const address = { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" };
    expect(faultsOf(address)).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4317"; allowed: an http or https URL, for http/protobuf',
    ]);
    expect(faultsOf({ ...address, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })).toEqual([]);
    expect(faultsOf({ OTEL_CONFIG_FILE: "otel.yaml" })).toEqual([
      expect.stringMatching(/^OTEL_CONFIG_FILE is set/),
    ]);
  });
});
