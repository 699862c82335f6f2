import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { OrganizationId } from "../../src/jobs/ids.ts";
import { Point, type PointRow, RESOLUTION_MS } from "../../src/jobs/metric.ts";
import { queryPoints } from "../../src/metrics/query.ts";
import { beyond } from "../../src/metrics/reach.ts";
import { partsOf } from "../../src/metrics/read-points.ts";
import { spanFor } from "../../src/metrics/resolution.ts";
import type { MetricStore, Rollups } from "../../src/store/store.ts";

const DAY = RESOLUTION_MS.DAY;
const HOUR = RESOLUTION_MS.HOUR;
const MINUTE = RESOLUTION_MS.MINUTE;
const NOW = Date.parse("2026-05-05T12:34:56Z");
const place = { shardId: 0, organizationId: "acme" as OrganizationId };

describe("the resolution of a query", () => {
  const chosen = (ago: number, resolution: "MINUTE" | "HOUR" | "DAY" | null = null) =>
    spanFor({ resolution, start: NOW - ago, end: NOW }, NOW);

  test("is the finest that is kept for all of the time and gives 1,500 points at most", () => {
    expect(chosen(HOUR)).toMatchObject({ resolution: "MINUTE" });
    expect(chosen(24 * HOUR)).toMatchObject({ resolution: "MINUTE" });
    expect(chosen(26 * HOUR)).toMatchObject({ resolution: "HOUR" });
    expect(chosen(59 * DAY)).toMatchObject({ resolution: "HOUR" });
    expect(chosen(61 * DAY)).toMatchObject({ resolution: "DAY" });
  });

  test("takes whole intervals, the open one included", () => {
    expect(chosen(2 * HOUR, "HOUR")).toEqual({
      resolution: "HOUR",
      start: Date.parse("2026-05-05T10:00:00Z"),
      end: Date.parse("2026-05-05T13:00:00Z"),
    });
  });

  test("is refused with its limit and its value", () => {
    expect(chosen(30 * HOUR, "MINUTE")).toEqual({
      field: "resolution",
      description: "must give at most 1500 points; it gives 1801.",
    });
    expect(chosen(3 * DAY, "MINUTE")).toEqual({
      field: "start_time",
      description:
        "must be at or after 2026-05-03T12:34:00.000Z: a MINUTE is kept no longer; it is 2026-05-02T12:34:00.000Z.",
    });
    expect(chosen(4 * 365 * DAY)).toMatchObject({ field: "start_time" });
    expect(chosen(-HOUR)).toMatchObject({ field: "start_time" });
  });
});

test("the parts of a span cover it once, each where its points are", () => {
  const at = fc.nat(100).map((hours) => hours * 5 * HOUR);
  fc.assert(
    fc.property(
      fc.constantFrom("MINUTE" as const, "HOUR" as const, "DAY" as const),
      at,
      at,
      fc.option(at, { nil: undefined }),
      fc.option(at, { nil: undefined }),
      (resolution, one, other, hours, days) => {
        const start = Math.min(one, other);
        const span = { resolution, start, end: Math.max(one, other) };
        const rollups: Rollups = {
          ...(hours === undefined ? {} : { HOUR: hours }),
          ...(days === undefined ? {} : { DAY: Math.min(days, hours ?? 0) }),
        };
        const parts = partsOf(span, rollups, []);
        let reached = span.start;
        for (const { resolution: of, from, until } of parts) {
          expect(from).toBe(reached);
          if (of !== "MINUTE") expect(until).toBeLessThanOrEqual(rollups[of] ?? 0);
          expect(RESOLUTION_MS[of]).toBeLessThanOrEqual(RESOLUTION_MS[resolution]);
          reached = until;
        }
        expect(reached).toBe(span.end);
      },
    ),
  );
});

const aRow = (facts: Partial<PointRow>): PointRow => ({
  ...new Point().row({
    ...{ organizationId: place.organizationId, resolution: "MINUTE", at: 0, type: "", writer: 1 },
  }),
  ...facts,
});

/** A store in which these rows are all. */
const storeOf = (
  rows: readonly PointRow[],
  rollups: () => Rollups = () => ({}),
): Pick<MetricStore, "points" | "rollups"> => ({
  rollups: async () => await Promise.resolve(rollups()),
  points: async (_place, { resolution, from, until }, after, limit) => {
    const found = rows.filter(
      (row) => row.resolution === resolution && row.at >= from && row.at < until,
    );
    const begin = after === null ? 0 : found.findIndex((row) => row === after) + 1;
    return await Promise.resolve(found.slice(begin, begin + limit));
  },
});

const span = { resolution: "MINUTE" as const, start: 0, end: 10 * MINUTE };

describe("a query", () => {
  test("adds up writers and types, and leaves out intervals in which nothing happened", async () => {
    const store = storeOf([
      aRow({ at: MINUTE, type: "a", submitted: 1, queueAgeMs: 500 }),
      aRow({ at: MINUTE, type: "b", submitted: 2, writer: 7 }),
      aRow({ at: 3 * MINUTE, type: "a", submitted: 0, failed: 1 }),
    ]);
    const query = { span, types: [], byType: false, metrics: ["SUBMITTED", "QUEUE_AGE"] as const };
    expect(await queryPoints(store, place, query)).toEqual([
      {
        metric: "SUBMITTED",
        type: null,
        points: [{ at: MINUTE, value: { kind: "count", count: 3 } }],
        total: { at: 0, value: { kind: "count", count: 3 } },
      },
      {
        metric: "QUEUE_AGE",
        type: null,
        points: [{ at: MINUTE, value: { kind: "age", ms: 500 } }],
        total: { at: 0, value: { kind: "age", ms: 500 } },
      },
    ]);
  });

  test("is read anew when something was rolled up meanwhile", async () => {
    let asked = 0;
    const rows = [
      aRow({ at: 30 * MINUTE, submitted: 5 }),
      aRow({ at: 0, submitted: 5, resolution: "HOUR", writer: 0 }),
    ];
    const store = storeOf(rows, () => ((asked += 1) === 1 ? {} : { HOUR: HOUR }));
    const whole = { resolution: "HOUR" as const, start: 0, end: HOUR };
    const query = { span: whole, types: [], byType: false, metrics: ["SUBMITTED"] as const };
    const [series] = await queryPoints(store, place, query);
    expect(series?.total.value).toEqual({ kind: "count", count: 5 });
    expect(asked).toBe(4);
  });

  test("by type tells of the busiest, and of the others as one", async () => {
    const rows = Array.from({ length: 250 }, (_, at) =>
      aRow({ at: MINUTE, type: `type-${at}`, submitted: at }),
    );
    const query = { span, types: [], byType: true, metrics: ["SUBMITTED"] as const };
    const series = await queryPoints(storeOf(rows), place, query);
    expect(series).toHaveLength(201);
    const others = series.find(({ type }) => type === "(other)");
    expect(others?.total.value).toEqual({ kind: "count", count: (49 * 50) / 2 });
  });

  test("that would be too long is refused", async () => {
    const rows = Array.from({ length: 60_000 }, (_, at) => aRow({ at: 0, type: `${at}` }));
    const query = { span, types: [], byType: true, metrics: ["SUBMITTED"] as const };
    await expect(queryPoints(storeOf(rows), place, query)).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: expect.stringContaining("at most 50000 points") as string,
    });
  });
});

test("a grant reaches its metrics and types, and nothing else", () => {
  const some = [
    { metrics: ["FAILED" as const], types: ["a"] },
    { metrics: ["FAILED" as const, "STARTED" as const], types: ["b"] },
    { metrics: ["CURRENT" as const], types: [] },
  ];
  expect(beyond(some, ["FAILED"], ["a", "b"])).toBe(null);
  expect(beyond(some, ["CURRENT"], [])).toBe(null);
  expect(beyond("all", ["SUBMITTED"], [])).toBe(null);
  expect(beyond(some, ["FAILED"], [])).toBe("FAILED of all types");
  expect(beyond(some, ["FAILED", "STARTED"], ["a"])).toBe('STARTED of the type "a"');
  expect(beyond(some, ["SUBMITTED"], ["a"])).toBe("SUBMITTED");
  expect(beyond([], ["FAILED"], [])).toBe("FAILED");
});
