import { describe, expect, it } from "vitest";

import { NO_DEMAND, peak, seen, WINDOW_MS } from "../../runner/sandbox/demand.ts";

describe("the demand", () => {
  it("is the most that was seen at once in this window and the one before", () => {
    let demand = seen(NO_DEMAND, 3, 1);
    demand = seen(demand, 1, 2);
    expect(peak(demand, 3)).toBe(3);
    demand = seen(demand, 2, WINDOW_MS + 1);
    expect(peak(demand, WINDOW_MS + 2)).toBe(3);
    expect(peak(demand, 2 * WINDOW_MS)).toBe(2);
  });

  it("is forgotten after two windows without any", () => {
    const demand = seen(NO_DEMAND, 8, 0);
    expect(peak(demand, 2 * WINDOW_MS - 1)).toBe(8);
    expect(peak(demand, 2 * WINDOW_MS)).toBe(0);
    expect(peak(seen(demand, 1, 10 * WINDOW_MS), 10 * WINDOW_MS)).toBe(1);
  });
});
