import {
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";

import { parseTraceparent } from "../runtime/traceparent.ts";
import type { AttemptStarted, Committed, Origin } from "../shard/observer.ts";

/** The spans of what a shard does for calls that are traced. Whatever is not sampled costs a look. */
export type ShardSpans = {
  origin(): Origin;
  committed(facts: Committed): void;
  attemptStarted(facts: AttemptStarted): void;
};

const isSampled = ({ traceFlags }: Pick<SpanContext, "traceFlags">): boolean =>
  (traceFlags & TraceFlags.SAMPLED) !== 0;

export const createShardSpans = (tracer: Tracer): ShardSpans => {
  /**
   * One commit serves many calls: each sees it in its own trace, and those after the first link to
   * the first one's.
   */
  const committed = ({
    origins,
    commands,
    rows,
    beganAt,
    durationMs,
    shardId,
  }: Committed): void => {
    if (origins.length === 0) return;
    let first: Link[] = [];
    for (const origin of origins) {
      const parent = trace.setSpan(ROOT_CONTEXT, origin as Span);
      const attributes = {
        "millrace.commit.commands": commands,
        "millrace.commit.rows": rows,
        "millrace.shard": shardId,
      };
      const options = { startTime: beganAt, attributes, links: first };
      const span = tracer.startSpan("commit", options, parent);
      span.end(beganAt + durationMs);
      if (first.length === 0) first = [{ context: span.spanContext() }];
    }
  };

  const attemptStarted = (facts: AttemptStarted): void => {
    if (facts.traceparent === "") return;
    const submission = parseTraceparent(facts.traceparent);
    if (submission === null || !isSampled(submission)) return;
    const parent = trace.setSpanContext(ROOT_CONTEXT, { ...submission, isRemote: true });
    const attributes = {
      "millrace.job.id": facts.jobId,
      "millrace.organization.id": facts.organizationId,
      "millrace.job.attempt": facts.attempt,
      ...(facts.workflowId === ""
        ? {}
        : { "millrace.workflow.id": facts.workflowId, "millrace.workflow.step": facts.stepName }),
    };
    const startTime = facts.queuedAt;
    tracer.startSpan("queue", { startTime, attributes }, parent).end(facts.startedAt);
  };

  return {
    origin: () => {
      const span = trace.getSpan(context.active());
      return span?.isRecording() === true ? span : null;
    },
    committed,
    attemptStarted,
  };
};

/** Where no collector was named. */
export const NO_SPANS: ShardSpans = {
  origin: () => null,
  committed: () => {},
  attemptStarted: () => {},
};
