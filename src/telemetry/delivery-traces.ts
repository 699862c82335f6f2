import {
  type Attributes,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";

import type { DeliveryTraces } from "../delivery/traces.ts";
import type { DeliveryRow } from "../jobs/delivery.ts";
import { formatTraceparent, parseTraceparent } from "../runtime/traceparent.ts";

const fail = (span: Span, errorType: string): void => {
  span.setAttribute("error.type", errorType).setStatus({ code: SpanStatusCode.ERROR });
};

const traceparentOf = (span: Span, otherwise: string): string => {
  const spanContext = span.spanContext();
  return isSpanContextValid(spanContext) ? formatTraceparent(spanContext) : otherwise;
};

/** A span for each try to deliver: a trace of its own, linked to the submission of the job. */
export const createDeliveryTraces = (tracer: Tracer): DeliveryTraces => {
  const start = (
    { id, hookId, jobId, organizationId, tries }: DeliveryRow,
    submission: string,
    { kind, attributes }: { readonly kind: SpanKind; readonly attributes: Attributes },
  ): Span => {
    const linked = parseTraceparent(submission);
    return tracer.startSpan(hookId === "" ? "deliver callback" : "deliver hook", {
      root: true,
      kind,
      links: linked === null ? [] : [{ context: { ...linked, isRemote: true } }],
      attributes: {
        ...attributes,
        "millrace.delivery.id": id,
        "millrace.delivery.try": tries + 1,
        "millrace.job.id": jobId,
        "millrace.organization.id": organizationId,
      },
    });
  };

  return {
    follow: async (delivery, readSubmission, send) => {
      const { hostname } = new URL(delivery.url);
      const attributes = { "http.request.method": "POST", "server.address": hostname };
      const span = start(delivery, await readSubmission(), { kind: SpanKind.CLIENT, attributes });
      const traceparent = traceparentOf(span, "");
      try {
        const answer = await send(traceparent === "" ? {} : { traceparent });
        if (answer.status > 0) span.setAttribute("http.response.status_code", answer.status);
        if (answer.status < 200 || answer.status > 299) {
          fail(span, answer.status === 0 ? "no_answer" : String(answer.status));
        }
        return answer;
      } finally {
        span.end();
      }
    },
    submit: async (delivery, readSubmission, submit) => {
      const submission = await readSubmission();
      const attributes = { "millrace.job.type": delivery.jobType };
      const span = start(delivery, submission, { kind: SpanKind.PRODUCER, attributes });
      try {
        const fault = await context.with(
          trace.setSpan(ROOT_CONTEXT, span),
          async () => await submit(traceparentOf(span, submission)),
        );
        if (fault !== null) fail(span, fault.reason);
        return fault;
      } finally {
        span.end();
      }
    },
  };
};
