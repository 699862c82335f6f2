import { JobFault } from "../jobs/errors.ts";
import type { Millis } from "../jobs/job.ts";
import { LIMITS } from "../jobs/limits.ts";
import {
  type Counter,
  type DurationName,
  intervalOf,
  type Metric,
  mostBusy,
  OTHER_TYPES,
  Point,
  type PointRow,
} from "../jobs/metric.ts";
import type { Sketch } from "../jobs/sketch.ts";
import type { MetricStore, Place } from "../store/store.ts";
import { readPoints } from "./read-points.ts";
import type { Span } from "./resolution.ts";

/** All but what is now, of which there are no points. */
export type TimedMetric = Exclude<Metric, "CURRENT">;

export type MetricQuery = {
  readonly span: Span;
  readonly metrics: readonly TimedMetric[];
  /** Empty: all. */
  readonly types: readonly string[];
  readonly byType: boolean;
};

export type MetricValue =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "age"; readonly ms: number }
  | { readonly kind: "distribution"; readonly sketch: Sketch };

export type TimedValue = { readonly at: Millis; readonly value: MetricValue };

export type Series = {
  readonly metric: TimedMetric;
  /** Null: of all types that were asked for. */
  readonly type: string | null;
  /** Oldest first, without intervals in which nothing happened. */
  readonly points: readonly TimedValue[];
  readonly total: TimedValue;
};

const COUNTERS: Readonly<Partial<Record<TimedMetric, Counter>>> = {
  SUBMITTED: "submitted",
  STARTED: "started",
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  CANCELLED: "cancelled",
  RETRIED: "retried",
};

const DURATIONS: Readonly<Partial<Record<TimedMetric, DurationName>>> = {
  QUEUE_DURATION: "queue",
  RUN_DURATION: "run",
  TOTAL_DURATION: "total",
};

const valueOf = (metric: TimedMetric, point: Point): MetricValue => {
  const [counter, duration] = [COUNTERS[metric], DURATIONS[metric]];
  if (counter !== undefined) return { kind: "count", count: point.counts[counter] };
  if (duration !== undefined) return { kind: "distribution", sketch: point[duration] };
  return { kind: "age", ms: point.queueAgeMs };
};

const happened = (value: MetricValue): boolean => {
  switch (value.kind) {
    case "count":
      return value.count > 0;
    case "age":
      return value.ms > 0;
    case "distribution":
      return value.sketch.count > 0;
  }
};

type ByTime = Map<Millis, Point>;

/** Adds up rows by interval, and by type if that is asked for; sketches only where they are asked for. */
class Cells {
  readonly byType = new Map<string, ByTime>();
  readonly #query: MetricQuery;
  readonly #durations: readonly DurationName[];
  #points = 0;

  constructor(query: MetricQuery) {
    this.#query = query;
    this.#durations = query.metrics.flatMap((metric) => DURATIONS[metric] ?? []);
  }

  take(row: PointRow): void {
    const { span, byType } = this.#query;
    const of = byType ? row.type : "";
    let cells = this.byType.get(of);
    if (cells === undefined) {
      cells = new Map();
      this.byType.set(of, cells);
    }
    const at = intervalOf(span.resolution, row.at);
    let point = cells.get(at);
    if (point === undefined) {
      point = new Point();
      cells.set(at, point);
      this.#points += this.#query.metrics.length;
      if (this.#points > LIMITS.metricPointsOfAnswer) throw tooManyPoints();
    }
    point.addCounts(row);
    for (const duration of this.#durations) point[duration].merge(row[duration]);
  }
}

const tooManyPoints = (): JobFault => {
  const field = "by_type";
  const description = `must be false, the types fewer or the resolution coarser: an answer has at most ${LIMITS.metricPointsOfAnswer} points.`;
  return new JobFault("INVALID_ARGUMENT", `${field} ${description}`, {
    faults: [{ field, description }],
  });
};

const sumOf = (points: Iterable<Point>): Point => {
  const sum = new Point();
  for (const point of points) sum.merge(point);
  return sum;
};

/** The busiest types by themselves, and all others as one. */
const bounded = (byType: ReadonlyMap<string, ByTime>): Map<string, ByTime> => {
  const totals = new Map([...byType].map(([type, cells]) => [type, sumOf(cells.values())]));
  const kept = mostBusy(totals);
  const series = new Map<string, ByTime>();
  for (const [type, cells] of byType) {
    const name = kept.has(type) ? type : OTHER_TYPES;
    const into: ByTime = series.get(name) ?? new Map<Millis, Point>();
    for (const [at, point] of cells) {
      const there = into.get(at) ?? new Point();
      there.merge(point);
      into.set(at, there);
    }
    series.set(name, into);
  }
  return series;
};

const seriesOf = ({ metrics, span }: MetricQuery, type: string | null, cells: ByTime): Series[] => {
  const sorted = [...cells].toSorted(([a], [b]) => a - b);
  const total = sumOf(cells.values());
  return metrics.map((metric) => ({
    metric,
    type,
    points: sorted
      .map(([at, point]) => ({ at, value: valueOf(metric, point) }))
      .filter(({ value }) => happened(value)),
    total: { at: span.start, value: valueOf(metric, total) },
  }));
};

/**
 * Series for each metric, and for each type if that is asked for: by type, in the order of the names.
 * Includes what is committed of the open interval. @throws JobFault INVALID_ARGUMENT where it is too much
 */
export const queryPoints = async (
  store: Pick<MetricStore, "points" | "rollups">,
  place: Place,
  query: MetricQuery,
): Promise<Series[]> => {
  let cells = new Cells(query);
  await readPoints(store, place, query.span, query.types, {
    begin: () => {
      cells = new Cells(query);
    },
    take: (row) => {
      cells.take(row);
    },
  });
  if (!query.byType) {
    return seriesOf(query, null, cells.byType.get("") ?? new Map<Millis, Point>());
  }
  return [...bounded(cells.byType)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([type, byTime]) => seriesOf(query, type, byTime));
};
