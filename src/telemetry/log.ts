import { trace } from "@opentelemetry/api";
import { destination, pino, stdSerializers } from "pino";

import type { Log } from "../runtime/log.ts";

export type LogOptions = {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** Added to every line. */
  readonly facts: Readonly<Record<string, string>>;
  /** Hears each line, a JSON text, after it was written. Must not throw. */
  readonly heard?: (line: string) => void;
};

/** The trace that a line belongs to, in the names of OpenTelemetry. */
const traceFacts = (): object => {
  const context = trace.getActiveSpan()?.spanContext();
  return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
};

/**
 * JSON lines on standard error: standard output is for what a command prints. Written at once:
 * lines are rare here, and the last ones before a crash are those that matter.
 */
export const createLog = ({ level, facts, heard = () => {} }: LogOptions): Log => {
  const stderr = destination({ dest: 2, sync: true });
  const write = (line: string): void => {
    stderr.write(line);
    heard(line);
  };
  const serializers = { error: stdSerializers.err };
  return pino({ level, base: facts, mixin: traceFacts, serializers }, { write });
};
