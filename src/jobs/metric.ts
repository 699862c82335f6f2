import type { OrganizationId, UserId } from "./ids.ts";
import type { Millis } from "./job.ts";
import { Sketch } from "./sketch.ts";

export const COUNTERS = [
  "submitted",
  "started",
  "succeeded",
  "failed",
  "cancelled",
  "retried",
] as const;
export type Counter = (typeof COUNTERS)[number];

export const DURATIONS = ["queue", "run", "total"] as const;
export type DurationName = (typeof DURATIONS)[number];

/** As the contract names them. `current` is no matter of points. */
export const METRICS = [
  "SUBMITTED",
  "STARTED",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "RETRIED",
  "QUEUE_DURATION",
  "RUN_DURATION",
  "TOTAL_DURATION",
  "QUEUE_AGE",
  "CURRENT",
] as const;
export type Metric = (typeof METRICS)[number];

export const RESOLUTIONS = ["MINUTE", "HOUR", "DAY"] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export const RESOLUTION_MS: Readonly<Record<Resolution, number>> = {
  MINUTE,
  HOUR: 60 * MINUTE,
  DAY,
};

/** How long points of a resolution are kept. */
export const POINT_RETENTION_MS: Readonly<Record<Resolution, number>> = {
  MINUTE: 2 * DAY,
  HOUR: 60 * DAY,
  DAY: 3 * 365 * DAY,
};

/** The beginning of the interval of `at`; days begin at midnight UTC. */
export const intervalOf = (resolution: Resolution, at: Millis): Millis =>
  Math.floor(at / RESOLUTION_MS[resolution]) * RESOLUTION_MS[resolution];

/** Types of an organization in one interval; the rest counts as `OTHER_TYPES`. */
export const MOST_TYPES = 200;

/** No type can have this name. */
export const OTHER_TYPES = "(other)";

/**
 * What happened to the jobs of one type of an organization within an interval, as far as one writer
 * saw it. Counts are absolute, so that writing a row again does no harm. `writer` is the revision that
 * an owner had loaded when it began to count, or 0 for a row that was rolled up.
 */
export type PointRow = {
  readonly organizationId: OrganizationId;
  readonly resolution: Resolution;
  /** The beginning of the interval. */
  readonly at: Millis;
  /** "" for jobs of inline scripts. */
  readonly type: string;
  readonly writer: number;
  /** Texts of sketches. */
  readonly queue: string;
  readonly run: string;
  readonly total: string;
  /** The greatest age of the oldest queued job that was seen. */
  readonly queueAgeMs: number;
} & Readonly<Record<Counter, number>>;

/** The sum of points. */
export class Point {
  readonly counts: Record<Counter, number> = {
    submitted: 0,
    started: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    retried: 0,
  };
  readonly queue = new Sketch();
  readonly run = new Sketch();
  readonly total = new Sketch();
  queueAgeMs = 0;

  add(row: PointRow): void {
    this.addCounts(row);
    for (const duration of DURATIONS) this[duration].merge(row[duration]);
  }

  /** All but the durations. */
  addCounts(row: PointRow): void {
    for (const counter of COUNTERS) this.counts[counter] += row[counter];
    this.queueAgeMs = Math.max(this.queueAgeMs, row.queueAgeMs);
  }

  merge(other: Point): void {
    for (const counter of COUNTERS) this.counts[counter] += other.counts[counter];
    for (const duration of DURATIONS) this[duration].merge(other[duration].text());
    this.queueAgeMs = Math.max(this.queueAgeMs, other.queueAgeMs);
  }

  row(key: Pick<PointRow, "organizationId" | "resolution" | "at" | "type" | "writer">): PointRow {
    return {
      ...key,
      ...this.counts,
      queue: this.queue.text(),
      run: this.run.text(),
      total: this.total.text(),
      queueAgeMs: this.queueAgeMs,
    };
  }
}

/** Up to where points have been rolled up into a resolution. */
export type RollupRow = { readonly resolution: Resolution; readonly until: Millis };

/**
 * Rolls points of one organization up into one interval: a row for each type, the 200 busiest of
 * them, and the rest as one. The same points give the same rows, in whatever order they come.
 */
export const rollUp = (
  key: Pick<PointRow, "organizationId" | "resolution" | "at">,
  points: ReadonlyMap<string, Point>,
): PointRow[] =>
  [...mostBusy(points)].map(([type, point]) => point.row({ ...key, type, writer: 0 }));

/** The busiest types, and the rest as `OTHER_TYPES`. */
export const mostBusy = (
  points: ReadonlyMap<string, Point>,
  most = MOST_TYPES,
): ReadonlyMap<string, Point> => {
  const named = [...points].filter(([type]) => type !== OTHER_TYPES);
  if (named.length <= most) return points;
  const byRank = named.toSorted(
    ([a, one], [b, other]) => eventsOf(other) - eventsOf(one) || (a < b ? -1 : 1),
  );
  const rest = new Point();
  for (const [, point] of byRank.slice(most)) rest.merge(point);
  const others = points.get(OTHER_TYPES);
  if (others !== undefined) rest.merge(others);
  return new Map([...byRank.slice(0, most), [OTHER_TYPES, rest]]);
};

const eventsOf = ({ counts }: Point): number =>
  COUNTERS.reduce((all, counter) => all + counts[counter], 0);

/** Who may read what, beside admins and those with `job-read`. */
export type MetricGrantRow = {
  readonly organizationId: OrganizationId;
  /** Empty: everybody, without a login. */
  readonly userId: UserId | "";
  readonly metrics: readonly Metric[];
  /** Empty: all. */
  readonly types: readonly string[];
  readonly createdBy: UserId | "";
  readonly createdAt: Millis;
};
