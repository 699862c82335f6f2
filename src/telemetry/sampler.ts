import {
  type Context,
  type Link,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  trace,
  TraceFlags,
} from "@opentelemetry/api";

import type { Otel } from "./otel.ts";

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

const ratioOf = (text = ""): number => {
  const ratio = text.trim() === "" ? Number.NaN : Number(text);
  return ratio >= 0 && ratio <= 1 ? ratio : 1;
};

type Root = (traceId: string) => boolean;

const rootOf = (name: string, otel: Otel): Root | null => {
  switch (name.replace(/^parentbased_/, "")) {
    case "always_on":
      return () => true;
    case "always_off":
      return () => false;
    case "traceidratio": {
      const ratio = ratioOf(otel["OTEL_TRACES_SAMPLER_ARG"]);
      return (traceId) => isWithin(traceId, ratio);
    }
    default:
      return null;
  }
};

/**
 * What OTEL_TRACES_SAMPLER says, with one thing more: a trace that begins with links is kept if one of
 * the linked spans is, and left out if none is. So a job's attempt, which is a trace of its own, is
 * kept exactly when its submission was. Null: a name that we do not know; the SDK decides.
 */
export const linkedSampler = (otel: Otel): Sampler | null => {
  const name = otel["OTEL_TRACES_SAMPLER"] || "parentbased_always_on";
  const root = rootOf(name, otel);
  if (root === null) return null;
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
