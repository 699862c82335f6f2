import { context, ROOT_CONTEXT, SpanKind, trace, type Tracer } from "@opentelemetry/api";

import { parseTraceparent } from "../../runtime/traceparent.ts";

/** A span for one request of a stream, which is part of the trace of whoever sent it; else none. */
export const inRequestSpan = async <T>(
  tracer: Tracer,
  method: string,
  traceparent: string,
  answer: () => Promise<T>,
): Promise<T> => {
  const sender = traceparent === "" ? null : parseTraceparent(traceparent);
  if (sender === null) return await answer();
  const above = trace.setSpanContext(ROOT_CONTEXT, { ...sender, isRemote: true });
  const name = `millrace.internal.v1.${method}`;
  const attributes = { "rpc.system.name": "connectrpc", "rpc.method": name };
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, above);
  try {
    return await context.with(trace.setSpan(above, span), answer);
  } finally {
    span.end();
  }
};
