import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { OrganizationId } from "../../src/jobs/ids.ts";
import {
  COUNTERS,
  intervalOf,
  MOST_TYPES,
  OTHER_TYPES,
  Point,
  type PointRow,
  rollUp,
} from "../../src/jobs/metric.ts";
import { Sketch } from "../../src/jobs/sketch.ts";

const acme = "acme" as OrganizationId;
const HOUR = { organizationId: acme, resolution: "HOUR" as const, at: 0 };

const DURATIONS = fc.array(fc.nat(1_000_000), { maxLength: 5 }).map((values) => {
  const sketch = new Sketch();
  for (const value of values) sketch.add(value);
  return sketch.text();
});

const ROW: fc.Arbitrary<PointRow> = fc.record({
  ...(Object.fromEntries(COUNTERS.map((counter) => [counter, fc.nat(100)])) as Record<
    (typeof COUNTERS)[number],
    fc.Arbitrary<number>
  >),
  organizationId: fc.constant(acme),
  resolution: fc.constant("MINUTE" as const),
  at: fc.nat(59).map((minute) => minute * 60_000),
  type: fc.nat(260).map((number) => (number === 0 ? "" : `type-${number}`)),
  writer: fc.nat(3),
  queue: DURATIONS,
  run: DURATIONS,
  total: DURATIONS,
  queueAgeMs: fc.nat(1_000_000),
});

const byType = (rows: readonly PointRow[]): Map<string, Point> => {
  const points = new Map<string, Point>();
  for (const row of rows) {
    const point = points.get(row.type) ?? new Point();
    point.add(row);
    points.set(row.type, point);
  }
  return points;
};

const sumOf = (rows: readonly PointRow[]): PointRow => {
  const point = new Point();
  for (const row of rows) point.add(row);
  return point.row({ ...HOUR, type: "", writer: 0 });
};

describe("points", () => {
  test("rolled up are the same whatever order they come in, and their sum stays", () => {
    fc.assert(
      fc.property(fc.array(ROW, { maxLength: 400, size: "max" }), (rows) => {
        const rolled = rollUp(HOUR, byType(rows));
        expect(sumOf(rolled)).toEqual(sumOf(rows));
        const again = rollUp(HOUR, byType(rows.toReversed()));
        const sorted = (all: readonly PointRow[]) =>
          all.toSorted((a, b) => (a.type < b.type ? -1 : 1));
        expect(sorted(again)).toEqual(sorted(rolled));
        expect(rolled.length).toBeLessThanOrEqual(MOST_TYPES + 1);
      }),
      { numRuns: 30 },
    );
  });

  test("keep the busiest types by name, and the rest as one", () => {
    const rows = Array.from({ length: 300 }, (_, at) =>
      new Point().row({ ...HOUR, type: `type-${at}`, writer: 1 }),
    ).map((row, at) => ({ ...row, submitted: at }));
    const rolled = rollUp(HOUR, byType(rows));
    expect(rolled).toHaveLength(MOST_TYPES + 1);
    const types = new Set(rolled.map(({ type }) => type));
    expect(types.has("type-299")).toBe(true);
    expect(types.has("type-99")).toBe(false);
    const rest = rolled.find(({ type }) => type === OTHER_TYPES);
    expect(rest?.submitted).toBe((99 * 100) / 2);
  });

  test("of a day begin at midnight UTC", () => {
    const at = Date.parse("2026-03-29T23:59:59.999Z");
    expect(intervalOf("DAY", at)).toBe(Date.parse("2026-03-29T00:00:00Z"));
    expect(intervalOf("HOUR", at)).toBe(Date.parse("2026-03-29T23:00:00Z"));
  });
});
