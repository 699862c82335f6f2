import {
  EXPORTER_VARIABLES,
  isAddress,
  OTEL_VARIABLES,
  type OtelVariable,
  PROTOCOLS,
  type Protocol,
  SAMPLERS,
  type SamplerName,
  SIGNALS,
  type Signal,
} from "./otel-variables.ts";

/** What waits to be sent, and how much of it goes at once. Times in milliseconds. */
export type OtelQueue = {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
};

/** What the OTEL_* variables say of what is sent to a collector. The exporters read the rest by themselves. */
export type OtelSettings = {
  /** Null: it is not sent. */
  readonly sent: Readonly<Record<Signal, Protocol | null>>;
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
  readonly spans: OtelQueue;
  readonly logs: OtelQueue;
  readonly metrics: { readonly exportIntervalMillis: number; readonly exportTimeoutMillis: number };
  /** What the SDK tells of itself; null: its warnings. */
  readonly logLevel: string | null;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Each variable that may be set, with those for one signal. */
const known = (): ReadonlyMap<string, OtelVariable> => {
  const all = new Map<string, OtelVariable>(Object.entries(OTEL_VARIABLES));
  for (const [name, variable] of Object.entries(EXPORTER_VARIABLES)) {
    all.set(name, variable);
    for (const signal of SIGNALS) all.set(ofSignal(name, signal), variable);
  }
  return all;
};

const ofSignal = (name: string, signal: Signal): string =>
  name.replace("OTEL_EXPORTER_OTLP_", `OTEL_EXPORTER_OTLP_${signal}_`);

/** They would stand for all others. */
const FILES = ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"] as const;

/** Sets of headers may hold credentials. */
const isSecret = (name: string): boolean => name.endsWith("_HEADERS");

/** Empty and blank ones are not set, as the specification has it. */
const valueOf = (environment: Environment, name: string): string | undefined =>
  environment[name]?.trim() || undefined;

const numberOf = (environment: Environment, name: string, fallback: number): number =>
  Number(valueOf(environment, name) ?? fallback);

const queueOf = (
  environment: Environment,
  prefix: "OTEL_BSP" | "OTEL_BLRP",
  delayMillis: number,
): OtelQueue => {
  const maxQueueSize = numberOf(environment, `${prefix}_MAX_QUEUE_SIZE`, 2_048);
  const batch = numberOf(environment, `${prefix}_MAX_EXPORT_BATCH_SIZE`, 512);
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(batch, maxQueueSize),
    scheduledDelayMillis: numberOf(environment, `${prefix}_SCHEDULE_DELAY`, delayMillis),
    exportTimeoutMillis: numberOf(environment, `${prefix}_EXPORT_TIMEOUT`, 30_000),
  };
};

const faultsOf = (environment: Environment): string[] => {
  const faults: string[] = [];
  for (const [name, { allowed, isAllowed }] of known()) {
    const text = valueOf(environment, name);
    if (text === undefined || isAllowed(text)) continue;
    const shown = isSecret(name) ? "set, but not understood" : JSON.stringify(text);
    faults.push(`${name} is ${shown}; allowed: ${allowed}`);
  }
  for (const name of FILES) {
    if (valueOf(environment, name) === undefined) continue;
    faults.push(`${name} is set; allowed: the other OTEL_* variables, for no file is read`);
  }
  return faults;
};

const find = <const T extends string>(list: readonly T[], text: string, fallback: T): T =>
  list.find((one) => one === text) ?? fallback;

/**
 * Reads the OTEL_* variables. Where nothing is sent, none of them matters, and none is checked.
 * @param faults takes a line for each variable that is not understood
 */
export const readOtel = (environment: Environment, faults: string[]): OtelSettings => {
  const ofExporter = (name: keyof typeof EXPORTER_VARIABLES, signal: Signal) => {
    const own = ofSignal(name, signal);
    const source = valueOf(environment, own) === undefined ? name : own;
    return { source, text: valueOf(environment, source) };
  };
  const isOff = valueOf(environment, "OTEL_SDK_DISABLED")?.toLowerCase() === "true";
  const isSent = (signal: Signal): boolean =>
    !isOff &&
    valueOf(environment, `OTEL_${signal}_EXPORTER`) !== "none" &&
    ofExporter("OTEL_EXPORTER_OTLP_ENDPOINT", signal).text !== undefined;
  const protocolOf = (signal: Signal): Protocol | null => {
    if (!isSent(signal)) return null;
    const { text = "" } = ofExporter("OTEL_EXPORTER_OTLP_PROTOCOL", signal);
    const protocol = find(PROTOCOLS, text, "http/protobuf");
    const { source, text: endpoint = "" } = ofExporter("OTEL_EXPORTER_OTLP_ENDPOINT", signal);
    const fault = `${source} is ${JSON.stringify(endpoint)}; allowed: an http or https URL, for ${protocol}`;
    if (protocol !== "grpc" && isAddress(endpoint) && !faults.includes(fault)) faults.push(fault);
    return protocol;
  };
  if (SIGNALS.some(isSent)) faults.push(...faultsOf(environment));
  const sent = {
    TRACES: protocolOf("TRACES"),
    METRICS: protocolOf("METRICS"),
    LOGS: protocolOf("LOGS"),
  };
  const sampler = valueOf(environment, "OTEL_TRACES_SAMPLER") ?? "";
  const exportIntervalMillis = numberOf(environment, "OTEL_METRIC_EXPORT_INTERVAL", 60_000);
  const timeoutMillis = numberOf(environment, "OTEL_METRIC_EXPORT_TIMEOUT", 30_000);
  return {
    sent,
    sampler: {
      name: find(SAMPLERS, sampler, "parentbased_always_on"),
      ratio: numberOf(environment, "OTEL_TRACES_SAMPLER_ARG", 1),
    },
    spans: queueOf(environment, "OTEL_BSP", 5_000),
    logs: queueOf(environment, "OTEL_BLRP", 1_000),
    metrics: {
      exportIntervalMillis,
      exportTimeoutMillis: Math.min(timeoutMillis, exportIntervalMillis),
    },
    logLevel: valueOf(environment, "OTEL_LOG_LEVEL") ?? null,
  };
};
