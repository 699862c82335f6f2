import { type Link, ROOT_CONTEXT, SamplingDecision, SpanKind, trace } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";

import type { OtelSettings } from "../../src/config/otel.ts";
import { linkedSampler } from "../../src/telemetry/sampler.ts";

const [LOW, HIGH] = ["00000001".padEnd(32, "0"), "fffffff1".padEnd(32, "0")] as const;
const spanIn = (traceFlags: number) => ({ traceId: HIGH, spanId: "00f067aa0ba902b7", traceFlags });

type Sampler = OtelSettings["sampler"];

const isKept = (
  settings: Sampler,
  traceId: string,
  links: readonly Link[] = [],
  parent?: number,
) => {
  const above =
    parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanIn(parent));
  const sampler = linkedSampler(settings);
  const result = sampler.shouldSample(above, traceId, "s", SpanKind.INTERNAL, {}, [...links]);
  return result.decision === SamplingDecision.RECORD_AND_SAMPLED;
};

const [KEPT, LEFT_OUT]: readonly [Link, Link] = [{ context: spanIn(1) }, { context: spanIn(0) }];
const TENTH: Sampler = { name: "parentbased_traceidratio", ratio: 0.1 };

describe("the sampler", () => {
  it("keeps all traces, or none", () => {
    expect(isKept({ name: "parentbased_always_on", ratio: 0 }, HIGH)).toBe(true);
    expect(isKept({ name: "always_off", ratio: 1 }, LOW)).toBe(false);
  });

  it("keeps the part of traces that it is told to, by their ids", () => {
    expect(isKept(TENTH, LOW)).toBe(true);
    expect(isKept(TENTH, HIGH)).toBe(false);
    expect(isKept({ ...TENTH, ratio: 1 }, HIGH)).toBe(true);
    expect(isKept({ ...TENTH, ratio: 0 }, LOW)).toBe(false);
  });

  it("follows the parent where it is told to, and only there", () => {
    expect(isKept(TENTH, HIGH, [], 1)).toBe(true);
    expect(isKept(TENTH, LOW, [], 0)).toBe(false);
    expect(isKept({ ...TENTH, name: "traceidratio" }, HIGH, [], 1)).toBe(false);
  });

  it("keeps a trace that begins with links exactly if one of them is kept", () => {
    expect(isKept(TENTH, HIGH, [LEFT_OUT, KEPT])).toBe(true);
    expect(isKept(TENTH, LOW, [LEFT_OUT])).toBe(false);
  });
});
