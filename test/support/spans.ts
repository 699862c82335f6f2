import { expect } from "vitest";

import type { OtlpSink, SunkSpan } from "./otlp-sink.ts";

/** The one span of this name that `holds` is true of. */
export const onlySpan = (
  sink: Pick<OtlpSink, "spans">,
  name: string,
  holds: (span: SunkSpan) => boolean,
): SunkSpan => {
  const found = sink.spans.filter((span) => span.name === name && holds(span));
  expect(found.map((span) => span.name)).toEqual([name]);
  return found[0] as SunkSpan;
};

export const inside = (parent: SunkSpan) => (span: SunkSpan) =>
  span.traceId === parent.traceId && span.parentSpanId === parent.spanId;

/** As a span shows it that has this one link. */
export const linkTo = ({ traceId, spanId }: SunkSpan) => [{ traceId, spanId }];
