import { type AnyValue, type Attributes, type Logger, SeverityNumber } from "@opentelemetry/api";

/** By pino's numbers. */
const SEVERITIES: Readonly<Record<number, readonly [SeverityNumber, string]>> = {
  20: [SeverityNumber.DEBUG, "DEBUG"],
  30: [SeverityNumber.INFO, "INFO"],
  40: [SeverityNumber.WARN, "WARN"],
  50: [SeverityNumber.ERROR, "ERROR"],
};

const UNKNOWN = [SeverityNumber.UNSPECIFIED, ""] as const;

/** What a record says by itself, or its resource does. */
const KNOWN: ReadonlySet<string> = new Set([
  "level",
  "time",
  "msg",
  "err",
  "error",
  "trace_id",
  "span_id",
  "service",
  "instance",
]);

type Line = Readonly<Record<string, AnyValue>>;

const exceptionOf = (err: AnyValue): Attributes => {
  if (typeof err !== "object" || err === null || !("message" in err)) return {};
  const { type, message, stack } = err as Line;
  return {
    "exception.type": String(type),
    "exception.message": String(message),
    "exception.stacktrace": String(stack),
  };
};

/**
 * Sends lines of our log as records, by OTLP. A line that is no JSON is left to standard error. What it
 * says goes into the queue of the SDK, which sends by itself and drops what is too much: nobody waits.
 */
export const logRecords =
  (logger: Pick<Logger, "emit">) =>
  (text: string): void => {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      return;
    }
    const [severityNumber, severityText] = SEVERITIES[Number(line["level"])] ?? UNKNOWN;
    logger.emit({
      timestamp: Number(line["time"]),
      severityNumber,
      severityText,
      body: line["msg"] ?? "",
      attributes: {
        ...Object.fromEntries(Object.entries(line).filter(([name]) => !KNOWN.has(name))),
        ...exceptionOf(line["err"] ?? line["error"]),
      },
    });
  };
