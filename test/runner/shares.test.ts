import { describe, expect, it } from "vitest";

import { shareOf } from "../../runner/shares.ts";

const shares = (slots: number, held: Readonly<Record<string, number>>): number[] => {
  const counts = new Map(Object.entries(held));
  return [...counts.keys()].map((url) => shareOf(slots, counts, url));
};

describe("the share of a server in the slots", () => {
  it("is all of them when it is alone", () => {
    expect(shares(10, { one: 3 })).toEqual([10]);
  });

  it("is the same for all while nothing is held", () => {
    expect(shares(10, { one: 0, two: 0 })).toEqual([5, 5]);
  });

  it("goes to the busy one, less what an idle one needs to show new work", () => {
    expect(shares(10, { busy: 8, idle: 0 })).toEqual([7, 2]);
  });

  it("is never nothing, unless the runner drains", () => {
    expect(shares(2, { one: 2, two: 0, three: 0 })).toEqual([1, 1, 1]);
    expect(shares(0, { one: 2, two: 0 })).toEqual([0, 0]);
  });
});
