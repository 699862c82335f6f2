/** A variable of OpenTelemetry that holds here, for people and for the check of its value. */
export type OtelVariable = {
  /** What holds without it. */
  readonly fallback: string;
  readonly allowed: string;
  readonly isAllowed: (text: string) => boolean;
};

const anything = (): boolean => true;

const oneOf =
  (...words: readonly string[]) =>
  (text: string): boolean =>
    words.includes(text);

const isList =
  (...words: readonly string[]) =>
  (text: string): boolean =>
    text.split(",").every((word) => words.includes(word.trim()));

const isWhole = (text: string): boolean => /^[1-9]\d{0,8}$/.test(text);
const WHOLE = { allowed: "a whole number from 1 to 999999999", isAllowed: isWhole };

const isRatio = (text: string): boolean => /^(0?\.\d+|[01](\.0*)?)$/.test(text);

const choice = (fallback: string, ...words: readonly string[]): OtelVariable => ({
  fallback,
  allowed: words.join(", "),
  isAllowed: oneOf(...words),
});

const FLAG = {
  allowed: "true, false",
  isAllowed: (text: string): boolean => /^(true|false)$/i.test(text),
};

const whole = (fallback: string): OtelVariable => ({ fallback, ...WHOLE });

const isUrl = (text: string): boolean => /^https?:\/\/[^\s/]/.test(text) && URL.canParse(text);
/** gRPC knows addresses without a scheme, too; whether it is gRPC is looked at elsewhere. */
const isEndpoint = (text: string): boolean => isUrl(text) || isAddress(text);
export const isAddress = (text: string): boolean => /^[^\s:/]+:\d{1,5}$/.test(text);

const FILE: OtelVariable = { fallback: "none", allowed: "a path", isAllowed: anything };

export const SIGNALS = ["TRACES", "METRICS", "LOGS"] as const;
export type Signal = (typeof SIGNALS)[number];
export const PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** How things are sent. Each has a form for one signal, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, which wins. */
export const EXPORTER_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    fallback: "nothing is sent",
    allowed: "an http or https URL; for grpc also host:port",
    isAllowed: isEndpoint,
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: choice("http/protobuf", ...PROTOCOLS),
  OTEL_EXPORTER_OTLP_HEADERS: {
    fallback: "none",
    allowed: "name=value, with commas between them",
    isAllowed: anything,
  },
  OTEL_EXPORTER_OTLP_TIMEOUT: whole("10000 (ms)"),
  OTEL_EXPORTER_OTLP_COMPRESSION: choice("none", "gzip", "none"),
  OTEL_EXPORTER_OTLP_INSECURE: { fallback: "false; for a grpc host:port alone", ...FLAG },
  OTEL_EXPORTER_OTLP_CERTIFICATE: FILE,
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: FILE,
  OTEL_EXPORTER_OTLP_CLIENT_KEY: FILE,
} as const satisfies Readonly<Record<string, OtelVariable>>;

/** The others. */
export const OTEL_VARIABLES = {
  OTEL_SDK_DISABLED: { fallback: "false", ...FLAG },
  OTEL_TRACES_EXPORTER: choice("otlp", "otlp", "none"),
  OTEL_METRICS_EXPORTER: choice("otlp", "otlp", "none"),
  OTEL_LOGS_EXPORTER: choice("otlp", "otlp", "none"),
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: choice(
    "cumulative",
    "cumulative",
    "delta",
    "lowmemory",
  ),
  OTEL_SERVICE_NAME: {
    fallback: "millrace, millrace-runner",
    allowed: "a name",
    isAllowed: anything,
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    fallback: "none",
    allowed: "name=value, with commas between them",
    isAllowed: anything,
  },
  OTEL_TRACES_SAMPLER: choice("parentbased_always_on", ...SAMPLERS),
  OTEL_TRACES_SAMPLER_ARG: {
    fallback: "1",
    allowed: "a ratio from 0 to 1, for traceidratio",
    isAllowed: isRatio,
  },
  OTEL_PROPAGATORS: {
    fallback: "tracecontext,baggage",
    allowed: "a list of tracecontext, baggage, b3, b3multi, none: what calls may bring",
    isAllowed: isList("tracecontext", "baggage", "b3", "b3multi", "none"),
  },
  OTEL_METRIC_EXPORT_INTERVAL: whole("60000 (ms)"),
  OTEL_METRIC_EXPORT_TIMEOUT: whole("30000 (ms), at most the interval"),
  OTEL_BSP_MAX_QUEUE_SIZE: whole("2048 spans"),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: whole("512, at most the queue"),
  OTEL_BSP_SCHEDULE_DELAY: whole("5000 (ms)"),
  OTEL_BSP_EXPORT_TIMEOUT: whole("30000 (ms)"),
  OTEL_BLRP_MAX_QUEUE_SIZE: whole("2048 log records"),
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: whole("512, at most the queue"),
  OTEL_BLRP_SCHEDULE_DELAY: whole("1000 (ms)"),
  OTEL_BLRP_EXPORT_TIMEOUT: whole("30000 (ms)"),
  OTEL_ATTRIBUTE_COUNT_LIMIT: whole("128"),
  OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: whole("none"),
  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: whole("128"),
  OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: whole("none"),
  OTEL_SPAN_LINK_COUNT_LIMIT: whole("128"),
  OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: whole("128"),
  OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: whole("none"),
  OTEL_LOG_LEVEL: choice("WARN", "NONE", "ERROR", "WARN", "INFO", "DEBUG", "VERBOSE", "ALL"),
} as const satisfies Readonly<Record<string, OtelVariable>>;
