import { type Span, SpanKind } from "@opentelemetry/api";

import type { Children } from "./executor.ts";
import { failSpan, inSpanOf, spansBelow, traceparentOf } from "./spans.ts";

/** `Children` whose submissions go on with a trace: W3C Trace Context, empty if there is none. */
export type TracedChildren = Pick<Children, "wait"> & {
  submit(name: string, spec: string, traceparent: string): Promise<string>;
};

const inSpan = async <T>(span: Span, run: () => Promise<T>): Promise<T> => {
  try {
    return await inSpanOf(span, run);
  } catch (cause) {
    failSpan(span, cause instanceof Error ? cause.name : "unknown");
    throw cause;
  } finally {
    span.end();
  }
};

/**
 * A span for each submission of a child, from which the child's trace goes on, and one for each time
 * that a child is waited for.
 * @param submission W3C Trace Context of the attempt's own submission, for where nobody records spans
 */
export const spannedChildren = (
  children: TracedChildren,
  attempt: Span,
  submission: string,
): Children => {
  if (!attempt.isRecording()) {
    return {
      ...children,
      submit: async (name, spec) => await children.submit(name, spec, submission),
    };
  }
  const start = spansBelow(attempt);
  return {
    submit: async (name, spec) => {
      const attributes = { "millrace.child.name": name };
      const span = start("submit", { kind: SpanKind.CLIENT, attributes });
      return await inSpan(span, async () => {
        const jobId = await children.submit(name, spec, traceparentOf(span, submission));
        span.setAttribute("millrace.child.id", jobId);
        return jobId;
      });
    },
    wait: async (jobId) => {
      const span = start("wait", { attributes: { "millrace.child.id": jobId } });
      return await inSpan(span, async () => await children.wait(jobId));
    },
  };
};
