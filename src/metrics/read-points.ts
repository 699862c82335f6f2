import type { Millis } from "../jobs/job.ts";
import { JobFault } from "../jobs/errors.ts";
import { LIMITS } from "../jobs/limits.ts";
import type { PointRow, Resolution } from "../jobs/metric.ts";
import { heardAll } from "../runtime/event-loop.ts";
import type { MetricStore, Place, PointKey, PointsWanted, Rollups } from "../store/store.ts";
import type { Span } from "./resolution.ts";

/** A few milliseconds on SQLite, which answers while nothing else happens in the process. */
const PAGE = 1_000;
/** A roll-up takes place once in an hour: a query that meets two of them is met by something else. */
const TRIES = 5;

/**
 * Where the points of a span are: what has been rolled up stands in its resolution, and what is newer
 * in finer ones.
 */
export const partsOf = (
  { resolution, start, end }: Span,
  rollups: Rollups,
  types: readonly string[],
): PointsWanted[] => {
  const within = (at: Millis): Millis => Math.min(Math.max(at, start), end);
  const hours = resolution === "MINUTE" ? start : within(rollups.HOUR ?? 0);
  const days = resolution === "DAY" ? Math.min(within(rollups.DAY ?? 0), hours) : start;
  const part = (of: Resolution, from: Millis, until: Millis): PointsWanted => ({
    resolution: of,
    from,
    until,
    types,
  });
  return [part("DAY", start, days), part("HOUR", days, hours), part("MINUTE", hours, end)].filter(
    ({ from, until }) => from < until,
  );
};

const tooMany = (): JobFault => {
  const field = "resolution";
  const description = `must be coarser, or the types fewer: there are more than ${LIMITS.metricRows} rows to read.`;
  return new JobFault("INVALID_ARGUMENT", `${field} ${description}`, {
    faults: [{ field, description }],
  });
};

/**
 * Hands every row of the span to `take`, page by page; `begin` comes before the first, and again if
 * something was rolled up meanwhile and all is read anew. @throws JobFault INVALID_ARGUMENT
 */
export const readPoints = async (
  store: Pick<MetricStore, "points" | "rollups">,
  place: Place,
  span: Span,
  types: readonly string[],
  reader: { readonly begin: () => void; readonly take: (row: PointRow) => void },
): Promise<void> => {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const rollups = await store.rollups(place.shardId);
    reader.begin();
    let rows = 0;
    for (const part of partsOf(span, rollups, types)) {
      let after: PointKey | null = null;
      for (;;) {
        const page: PointRow[] = await store.points(place, part, after, PAGE);
        for (const row of page) reader.take(row);
        rows += page.length;
        if (rows > LIMITS.metricRows) throw tooMany();
        after = page.at(-1) ?? null;
        if (page.length < PAGE) break;
        await heardAll();
      }
    }
    const now = await store.rollups(place.shardId);
    if (now.HOUR === rollups.HOUR && now.DAY === rollups.DAY) return;
  }
  throw new JobFault("SHARD_UNAVAILABLE", "The points are being rolled up. Try again shortly.");
};
