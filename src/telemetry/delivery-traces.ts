import { isSpanContextValid, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";

import type { DeliveryTraces } from "../delivery/traces.ts";
import { formatTraceparent, parseTraceparent } from "../runtime/traceparent.ts";

/** A span for each try to deliver: a trace of its own, linked to the submission of the job. */
export const createDeliveryTraces = (tracer: Tracer): DeliveryTraces => ({
  follow: async (delivery, readSubmission, send) => {
    const submission = parseTraceparent(await readSubmission());
    const span = tracer.startSpan(delivery.hookId === "" ? "deliver callback" : "deliver hook", {
      root: true,
      kind: SpanKind.CLIENT,
      links: submission === null ? [] : [{ context: { ...submission, isRemote: true } }],
      attributes: {
        "http.request.method": "POST",
        "server.address": new URL(delivery.url).hostname,
        "millrace.delivery.id": delivery.id,
        "millrace.delivery.try": delivery.tries + 1,
        "millrace.job.id": delivery.jobId,
        "millrace.organization.id": delivery.organizationId,
      },
    });
    const context = span.spanContext();
    try {
      const answer = await send(
        isSpanContextValid(context) ? { traceparent: formatTraceparent(context) } : {},
      );
      if (answer.status > 0) span.setAttribute("http.response.status_code", answer.status);
      if (answer.status < 200 || answer.status > 299) {
        const errorType = answer.status === 0 ? "no_answer" : String(answer.status);
        span.setAttribute("error.type", errorType).setStatus({ code: SpanStatusCode.ERROR });
      }
      return answer;
    } finally {
      span.end();
    }
  },
});
