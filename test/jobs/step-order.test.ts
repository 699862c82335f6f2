import { describe, expect, it } from "vitest";

import { orderOf, type Upstreams } from "../../src/jobs/step-order.ts";

/** `"ab cd"`: two steps, of which the first waits for `a` and `b`; steps are a, b, c … in their order. */
const upstreams = (text: string): Upstreams =>
  text
    .split(" ")
    .map((names) => Array.from(names.replace("-", ""), (name) => name.charCodeAt(0) - 97));

const cyclesOf = (text: string): string[] =>
  orderOf(upstreams(text)).cycles.map((cycle) =>
    cycle.map((step) => String.fromCharCode(97 + step)).join(""),
  );

describe("the order of steps", () => {
  it.each<[string, string, number]>([
    ["one step", "-", 1],
    ["steps that nothing ties", "- - -", 1],
    ["a chain, in any order", "b c -", 3],
    ["a diamond, as long as its longer side", "- a b ac", 4],
  ])("of %s has its depth", (_what, text, depth) => {
    expect(orderOf(upstreams(text))).toEqual({ depth, cycles: [] });
  });

  it.each<[string, string, string[]]>([
    ["two that wait for each other", "b a", ["ba"]],
    ["three in a ring", "c a b", ["bca"]],
    ["a ring with a tail before and one behind", "- ad b c d", ["bcd"]],
    ["two rings apart", "b a d c", ["ba", "dc"]],
    ["two rings that share a step", "bc a a", ["ba"]],
  ])("tells of %s each way that leads back, as it would run", (_what, text, cycles) => {
    const rotated = (cycle: string): string =>
      Array.from(cycle, (_, at) => at)
        .map((at) => cycle.slice(at) + cycle.slice(0, at))
        .toSorted()
        .join();
    expect(cyclesOf(text).map(rotated)).toEqual(cycles.map(rotated));
  });

  it("is found for the largest workflow without a deep stack, be it a chain or a ring", () => {
    const chain = Array.from({ length: 100_000 }, (_, step) => (step === 0 ? [] : [step - 1]));
    expect(orderOf(chain)).toEqual({ depth: 100_000, cycles: [] });
    const ring = chain.with(0, [99_999]);
    expect(orderOf(ring).cycles.map(({ length }) => length)).toEqual([100_000]);
  });
});
