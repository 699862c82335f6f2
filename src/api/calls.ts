import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type ConnectError, type Interceptor } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";

import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Instruments } from "../telemetry/instruments.ts";
import { toConnectError } from "./errors.ts";

/** What is known of every call: its outcome is measured, and logged when it is our fault. */
export type CallObserver = {
  readonly clock: Clock;
  readonly log: Log;
  readonly instruments: Instruments;
  readonly tracer: Tracer;
};

const methodName = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;

const systemName = (header: Headers): string =>
  (header.get("content-type") ?? "").startsWith("application/grpc") ? "grpc" : "connectrpc";

/** By the names of gRPC for every protocol, so that one method is one series. */
const statusName = (error: ConnectError | null): string => {
  if (error === null) return "OK";
  return error.code === Code.Canceled ? "CANCELLED" : codeToString(error.code).toUpperCase();
};

type Ended = {
  readonly method: DescMethod;
  readonly header: Headers;
  readonly startedAt: number;
  readonly error: ConnectError | null;
};

const measure = ({ clock, instruments }: CallObserver, call: Ended): void => {
  const status = statusName(call.error);
  instruments.callEnded((clock.monotonic() - call.startedAt) / 1_000, {
    "rpc.system.name": systemName(call.header),
    "rpc.method": methodName(call.method),
    "rpc.response.status_code": status,
    ...(call.error === null ? {} : { "error.type": status }),
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
      observer.instruments.watchOpened(methodName(method));
      // Fires however the stream ends; a generator's `finally` does not when the client died.
      request.signal.addEventListener(
        "abort",
        () => observer.instruments.watchClosed(methodName(method)),
        { once: true },
      );
      const response = await next(request);
      return response.stream
        ? { ...response, message: translated(observer, method, response.message) }
        : response;
    }
    const startedAt = observer.clock.monotonic();
    const parent = propagation.extract(context.active(), header, headerGetter);
    const span = observer.tracer.startSpan(methodName(method), { kind: SpanKind.SERVER }, parent);
    try {
      const response = await context.with(
        trace.setSpan(parent, span),
        async () => await next(request),
      );
      measure(observer, { method, header, startedAt, error: null });
      return response;
    } catch (caught) {
      const error = toConnectError(caught);
      logUnforeseen(observer, method, caught, error);
      measure(observer, { method, header, startedAt, error });
      span.setStatus({ code: SpanStatusCode.ERROR, message: statusName(error) });
      throw error;
    } finally {
      span.end();
    }
  };

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C Trace Context to hand on: our span where there is one, else what the caller sent, else empty. */
export const traceparentOf = (header: Headers): string => {
  const span = trace.getActiveSpan()?.spanContext();
  if (span !== undefined && trace.isSpanContextValid(span)) {
    return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, "0")}`;
  }
  const sent = header.get("traceparent") ?? "";
  return TRACEPARENT.test(sent) ? sent : "";
};
