import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type ConnectError, type Interceptor, type UnaryRequest } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import {
  type Context,
  context,
  isSpanContextValid,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";

import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { formatTraceparent, parseTraceparent } from "../runtime/traceparent.ts";
import type { Meters } from "../telemetry/meters.ts";
import { type SERVER_TABLE, STATUS_CODES } from "../telemetry/tables/server.ts";
import { type MethodName, oneOf } from "../telemetry/tables/spec.ts";
import { toConnectError } from "./errors.ts";

/** What is known of every call: its outcome is measured, and logged when it is our fault. */
export type CallObserver = {
  readonly clock: Clock;
  readonly log: Log;
  readonly meters: Pick<Meters<typeof SERVER_TABLE>, "callDuration" | "watches">;
  readonly tracer: Tracer;
};

const methodName = (method: DescMethod): MethodName =>
  `${method.parent.typeName}/${method.name}` as MethodName;

const systemName = (header: Headers): "grpc" | "connectrpc" =>
  (header.get("content-type") ?? "").startsWith("application/grpc") ? "grpc" : "connectrpc";

/** By the names of gRPC for every protocol, so that one method is one series. */
const statusName = (error: ConnectError | null): (typeof STATUS_CODES)[number] => {
  if (error === null) return "OK";
  if (error.code === Code.Canceled) return "CANCELLED";
  return oneOf(STATUS_CODES, codeToString(error.code).toUpperCase(), "UNKNOWN");
};

type Ended = {
  readonly method: DescMethod;
  readonly header: Headers;
  readonly startedAt: number;
  readonly error: ConnectError | null;
};

const measure = ({ clock, meters }: CallObserver, call: Ended): void => {
  const status = statusName(call.error);
  meters.callDuration((clock.monotonic() - call.startedAt) / 1_000, {
    "rpc.system.name": systemName(call.header),
    "rpc.method": methodName(call.method),
    "rpc.response.status_code": status,
    "error.type": call.error === null ? "" : status,
  });
};

/** Only what nobody foresaw: a refusal is the caller's business, not the operator's. */
const logUnforeseen = (
  { log }: CallObserver,
  method: DescMethod,
  caught: unknown,
  error: ConnectError,
): void => {
  if (error.code !== Code.Internal && error.code !== Code.Unknown) return;
  log.error(
    { err: error.cause ?? caught, "rpc.method": methodName(method) },
    "a call failed by our fault",
  );
};

/** For the gate, which runs outside the interceptors. @throws ConnectError */
export const observeRefusal = (
  observer: CallObserver,
  call: { readonly method: DescMethod; readonly requestHeader: Headers },
  caught: unknown,
): never => {
  const error = toConnectError(caught);
  logUnforeseen(observer, call.method, caught, error);
  const startedAt = observer.clock.monotonic();
  measure(observer, { method: call.method, header: call.requestHeader, startedAt, error });
  throw error;
};

const headerGetter = {
  get: (header: Headers, key: string) => header.get(key) ?? undefined,
  keys: (header: Headers) => [...header.keys()],
};

async function* translated<T>(
  observer: CallObserver,
  method: DescMethod,
  messages: AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (caught) {
    const error = toConnectError(caught);
    logUnforeseen(observer, method, caught, error);
    throw error;
  }
}

/**
 * The outermost interceptor: whatever a handler throws leaves as an error of the wire. Calls with one
 * answer are measured and are spans of the caller's trace; streams may last for hours and are counted.
 */
export const observeCalls =
  (observer: CallObserver): Interceptor =>
  (next) =>
  async (request) => {
    const { method, header } = request;
    if (request.stream) {
      observer.meters.watches(1, { "rpc.method": methodName(method) });
      // Fires however the stream ends; a generator's `finally` does not when the client died.
      request.signal.addEventListener(
        "abort",
        () => observer.meters.watches(-1, { "rpc.method": methodName(method) }),
        { once: true },
      );
      const response = await next(request);
      return response.stream
        ? { ...response, message: translated(observer, method, response.message) }
        : response;
    }
    const startedAt = observer.clock.monotonic();
    const parent = propagation.extract(context.active(), header, headerGetter);
    const span = startSpan(observer, request, parent);
    const done = (error: ConnectError | null): void => {
      measure(observer, { method, header, startedAt, error });
      endSpan(span, statusName(error));
    };
    try {
      const response = await context.with(
        span === null ? parent : trace.setSpan(parent, span),
        async () => await next(request),
      );
      done(null);
      return response;
    } catch (caught) {
      const error = toConnectError(caught);
      logUnforeseen(observer, method, caught, error);
      done(error);
      throw error;
    }
  };

/** What machines ask all the time is part of a trace, if they have one, and begins none. */
const ROUTINE = /^(millrace\.internal\.|grpc\.)/;

const startSpan = (
  { tracer }: CallObserver,
  { method, header }: Pick<UnaryRequest, "method" | "header">,
  parent: Context,
): Span | null => {
  const name = methodName(method);
  if (ROUTINE.test(name) && trace.getSpanContext(parent) === undefined) return null;
  const attributes = { "rpc.system.name": systemName(header), "rpc.method": name };
  return tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
};

const endSpan = (span: Span | null, status: string): void => {
  if (span === null) return;
  span.setAttribute("rpc.response.status_code", status);
  if (status !== "OK") {
    span.setAttribute("error.type", status).setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
};

/** W3C Trace Context to hand on: our span where there is one, else what the caller sent, else empty. */
export const traceparentOf = (header: Headers): string => {
  const span = trace.getActiveSpan()?.spanContext();
  if (span !== undefined && isSpanContextValid(span)) return formatTraceparent(span);
  const sent = header.get("traceparent") ?? "";
  return parseTraceparent(sent) === null ? "" : sent;
};
