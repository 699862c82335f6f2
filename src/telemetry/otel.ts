/** The OTEL_* variables of the environment. */
export type Otel = Readonly<Record<string, string | undefined>>;

export type Signal = "TRACES" | "METRICS" | "LOGS";

const SIGNALS: readonly Signal[] = ["TRACES", "METRICS", "LOGS"];

const isSet = (otel: Otel, name: string): boolean => (otel[name] ?? "") !== "";

/** Whether a collector was named for it, and nobody said that it is not to be sent. */
export const isSent = (otel: Otel, signal: Signal): boolean =>
  otel[`OTEL_${signal}_EXPORTER`] !== "none" &&
  (isSet(otel, "OTEL_EXPORTER_OTLP_ENDPOINT") ||
    isSet(otel, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`));

/** Whether the SDK is worth its time to load. */
export const isAnySent = (otel: Otel): boolean =>
  otel["OTEL_SDK_DISABLED"]?.toLowerCase() !== "true" &&
  SIGNALS.some((signal) => isSent(otel, signal));
