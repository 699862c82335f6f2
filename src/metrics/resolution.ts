import type { FieldFault } from "../jobs/errors.ts";
import type { Millis } from "../jobs/job.ts";
import { LIMITS } from "../jobs/limits.ts";
import {
  intervalOf,
  POINT_RETENTION_MS,
  type Resolution,
  RESOLUTION_MS,
  RESOLUTIONS,
} from "../jobs/metric.ts";

/** Whole intervals: `start` inclusive, `end` exclusive. */
export type Span = {
  readonly resolution: Resolution;
  readonly start: Millis;
  readonly end: Millis;
};

const spanOf = (resolution: Resolution, start: Millis, end: Millis): Span => ({
  resolution,
  start: intervalOf(resolution, start),
  end: intervalOf(resolution, end + RESOLUTION_MS[resolution] - 1),
});

const pointsOf = ({ resolution, start, end }: Span): number =>
  (end - start) / RESOLUTION_MS[resolution];

const keptSince = (resolution: Resolution, now: Millis): Millis =>
  intervalOf(resolution, now - POINT_RETENTION_MS[resolution]);

const iso = (at: Millis): string => new Date(at).toISOString();

const whyNot = (span: Span, now: Millis): FieldFault | null => {
  const { resolution, start } = span;
  const kept = keptSince(resolution, now);
  const points = pointsOf(span);
  if (start < kept) {
    const description = `must be at or after ${iso(kept)}: a ${resolution} is kept no longer; it is ${iso(start)}.`;
    return { field: "start_time", description };
  }
  if (points > LIMITS.metricPoints) {
    const description = `must give at most ${LIMITS.metricPoints} points; it gives ${points}.`;
    return { field: "resolution", description };
  }
  return null;
};

/**
 * The intervals that are asked for: of the resolution that is named, or else of the finest that is
 * kept for all of them and gives no more than 1,500 points. A fault where there is none.
 */
export const spanFor = (
  asked: {
    readonly resolution: Resolution | null;
    readonly start: Millis;
    readonly end: Millis;
  },
  now: Millis,
): Span | FieldFault => {
  const { resolution, start, end } = asked;
  if (start >= end) {
    const description = `must be before end_time, ${iso(end)}; it is ${iso(start)}.`;
    return { field: "start_time", description };
  }
  const spans = (resolution === null ? RESOLUTIONS : [resolution]).map((one) =>
    spanOf(one, start, end),
  );
  const good = spans.find((span) => whyNot(span, now) === null);
  if (good !== undefined) return good;
  const last = spans.at(-1);
  return (last && whyNot(last, now)) ?? { field: "resolution", description: "is not known." };
};
