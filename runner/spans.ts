import {
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";

import { formatTraceparent, parseTraceparent } from "../src/runtime/traceparent.ts";
import type { Assignment, Ending } from "./executor.ts";

/**
 * The spans of a runner, by the API of OpenTelemetry alone: without an SDK in the process they are
 * nothing, and cost next to nothing. `millrace runner` loads one if a collector is named; an
 * application that embeds a runner may have its own.
 */
const tracer = (): Tracer => trace.getTracer("millrace");

/** A trace of its own, linked to the submission: a job may wait for days. */
export const startAttemptSpan = ({ ref, capability, type, traceparent }: Assignment): Span => {
  const submission = parseTraceparent(traceparent);
  const [work = ""] = capability.split(":", 1);
  return tracer().startSpan(`attempt ${work}`, {
    root: true,
    kind: SpanKind.CONSUMER,
    links: submission === null ? [] : [{ context: { ...submission, isRemote: true } }],
    attributes: {
      "millrace.job.id": ref.jobId,
      "millrace.job.attempt": ref.attempt,
      "millrace.job.type": type,
      "millrace.organization.id": ref.organizationId,
      "millrace.work": work,
    },
  });
};

/** The code of a failure, and never its message: that may hold anything. */
export const endAttemptSpan = (span: Span, ending: Ending): void => {
  span.setAttribute("millrace.attempt.outcome", ending.kind);
  if (ending.kind === "failed") failSpan(span, ending.error.code);
  span.end();
};

export const failSpan = (span: Span, errorType: string): void => {
  span.setAttribute("error.type", errorType).setStatus({ code: SpanStatusCode.ERROR });
};

export const inSpanOf = async <T>(span: Span, run: () => Promise<T>): Promise<T> =>
  await context.with(trace.setSpan(ROOT_CONTEXT, span), run);

/** Starts a span below another one. */
export type StartSpan = (name: string, options?: SpanOptions) => Span;

export const spansBelow = (parent: Span): StartSpan => {
  const above = trace.setSpan(ROOT_CONTEXT, parent);
  return (name, options) => tracer().startSpan(name, options, above);
};

/** Below what is active now, whenever it is started. */
export const spansHere = (): StartSpan => {
  const above = context.active();
  return (name, options) => tracer().startSpan(name, options, above);
};

const REPORT = "millrace.internal.v1.JobUpdateService/UpdateJobs";

/**
 * A call that speaks for these attempts: part of the trace of a single one, else a trace of its own
 * that is linked to all of them. Those that have ended are known by their contexts.
 */
export const inReportSpan = async <T>(
  attempts: readonly Span[],
  call: (traceparent: string) => Promise<T>,
): Promise<T> => {
  const traced = attempts.filter(isSampled);
  const [only] = traced;
  if (only === undefined) return await call("");
  const span =
    attempts.length === 1
      ? spansBelow(only)(REPORT, { kind: SpanKind.CLIENT })
      : tracer().startSpan(REPORT, {
          root: true,
          kind: SpanKind.CLIENT,
          links: traced.map((one) => ({ context: one.spanContext() })),
        });
  try {
    return await inSpanOf(span, async () => await call(traceparentOf(span, "")));
  } catch (cause) {
    failSpan(span, cause instanceof Error ? cause.name : "unknown");
    throw cause;
  } finally {
    span.end();
  }
};

const isSampled = (span: Span): boolean =>
  (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;

/** W3C Trace Context of the span; `otherwise`, if it is none that anybody records. */
export const traceparentOf = (span: Span, otherwise: string): string =>
  span.isRecording() ? formatTraceparent(span.spanContext()) : otherwise;
