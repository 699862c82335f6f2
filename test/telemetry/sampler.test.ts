import { type Link, ROOT_CONTEXT, SamplingDecision, SpanKind, trace } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";

import type { Otel } from "../../src/telemetry/otel.ts";
import { linkedSampler } from "../../src/telemetry/sampler.ts";

const [LOW, HIGH] = ["00000001".padEnd(32, "0"), "fffffff1".padEnd(32, "0")] as const;
const spanIn = (traceFlags: number) => ({ traceId: HIGH, spanId: "00f067aa0ba902b7", traceFlags });

const isKept = (otel: Otel, traceId: string, links: readonly Link[] = [], parent?: number) => {
  const above =
    parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanIn(parent));
  const sampler = linkedSampler(otel);
  const result = sampler?.shouldSample(above, traceId, "s", SpanKind.INTERNAL, {}, [...links]);
  return result?.decision === SamplingDecision.RECORD_AND_SAMPLED;
};

const [KEPT, LEFT_OUT]: readonly [Link, Link] = [{ context: spanIn(1) }, { context: spanIn(0) }];
const TENTH = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" };

describe("the sampler", () => {
  it("keeps all traces unless it is told otherwise", () => {
    expect(isKept({}, HIGH)).toBe(true);
    expect(isKept({ OTEL_TRACES_SAMPLER: "always_off" }, LOW)).toBe(false);
  });

  it("keeps the part of traces that it is told to, by their ids", () => {
    expect(isKept(TENTH, LOW)).toBe(true);
    expect(isKept(TENTH, HIGH)).toBe(false);
    expect(isKept({ ...TENTH, OTEL_TRACES_SAMPLER_ARG: "1" }, HIGH)).toBe(true);
    expect(isKept({ ...TENTH, OTEL_TRACES_SAMPLER_ARG: "many" }, HIGH)).toBe(true);
  });

  it("follows the parent where it is told to, and only there", () => {
    expect(isKept(TENTH, HIGH, [], 1)).toBe(true);
    expect(isKept(TENTH, LOW, [], 0)).toBe(false);
    expect(isKept({ ...TENTH, OTEL_TRACES_SAMPLER: "traceidratio" }, HIGH, [], 1)).toBe(false);
  });

  it("keeps a trace that begins with links exactly if one of them is kept", () => {
    expect(isKept(TENTH, HIGH, [LEFT_OUT, KEPT])).toBe(true);
    expect(isKept(TENTH, LOW, [LEFT_OUT])).toBe(false);
  });

  it("leaves a name that it does not know to the SDK", () => {
    expect(linkedSampler({ OTEL_TRACES_SAMPLER: "xray" })).toBeNull();
  });
});
