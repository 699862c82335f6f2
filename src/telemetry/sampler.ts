import {
  type Context,
  type Link,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  trace,
  TraceFlags,
} from "@opentelemetry/api";

import type { OtelSettings } from "../config/otel.ts";
import type { SamplerName } from "../config/otel-variables.ts";

const DECIDED = {
  yes: { decision: SamplingDecision.RECORD_AND_SAMPLED },
  no: { decision: SamplingDecision.NOT_RECORD },
} as const;

const decided = (yes: boolean): SamplingResult => (yes ? DECIDED.yes : DECIDED.no);

const isSampled = (flags: number): boolean => (flags & TraceFlags.SAMPLED) !== 0;

/** As TraceIdRatioBasedSampler of the SDK decides, so that other services decide alike. */
const isWithin = (traceId: string, ratio: number): boolean => {
  let folded = 0;
  for (let at = 0; at < 32; at += 8) {
    folded = (folded ^ Number.parseInt(traceId.slice(at, at + 8), 16)) >>> 0;
  }
  return folded < (ratio === 1 ? 2 ** 32 : Math.floor(ratio * (2 ** 32 - 1)));
};

type Root = (traceId: string) => boolean;

const rootOf = (name: SamplerName, ratio: number): Root => {
  switch (name) {
    case "always_on":
    case "parentbased_always_on":
      return () => true;
    case "always_off":
    case "parentbased_always_off":
      return () => false;
    case "traceidratio":
    case "parentbased_traceidratio":
      return (traceId) => isWithin(traceId, ratio);
  }
};

/**
 * What OTEL_TRACES_SAMPLER says, with one thing more: a trace that begins with links is kept if one of
 * the linked spans is, and left out if none is. So a job's attempt, which is a trace of its own, is
 * kept exactly when its submission was.
 */
export const linkedSampler = ({ name, ratio }: OtelSettings["sampler"]): Sampler => {
  const root = rootOf(name, ratio);
  const followsParent = name.startsWith("parentbased_");
  return {
    shouldSample: (parent: Context, traceId, _name, _kind, _attributes, links: Link[]) => {
      const above = trace.getSpanContext(parent);
      if (above !== undefined) {
        return decided(followsParent ? isSampled(above.traceFlags) : root(traceId));
      }
      if (links.length > 0)
        return decided(links.some(({ context }) => isSampled(context.traceFlags)));
      return decided(root(traceId));
    },
    toString: () => `Linked{${name}}`,
  };
};
