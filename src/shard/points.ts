import type { JobRow, Millis } from "../jobs/job.ts";
import type { Counter } from "../jobs/metric.ts";
import { censusOf } from "./census.ts";
import type { OpenPoint } from "./open-points.ts";
import type { Turn } from "./turn.ts";

/**
 * Counts what the turn did into the points of its minute: one row for each organization and type that
 * it moved, in the same commit.
 */
export const notePoints = (turn: Turn): void => {
  const { points } = turn.state;
  points.open(turn.now);
  const { moved } = turn.points;
  for (const [{ row }, before] of turn.touched()) {
    if (!movesCounts(row, before)) continue;
    const open = points.of(row.organizationId, row.type);
    moved.add(open);
    count(open, row, before, turn.now);
  }
  for (const { organizationId, jobId, startedAt, endedAt } of turn.attempts) {
    const open = points.of(organizationId, turn.row(organizationId, jobId)?.type ?? "");
    moved.add(open);
    open.point.run.add(endedAt - startedAt);
  }
  for (const open of moved) {
    seeQueue(turn, open);
    turn.points.put(points.row(open));
  }
};

/** Notes the age of the oldest queued job of that point's type, as the turn leaves it. */
export const seeQueue = (
  { state, now }: Pick<Turn, "state" | "now">,
  { organizationId, type, point }: OpenPoint,
): void => {
  const organization = state.organization(organizationId);
  const oldest = organization && censusOf(organization, type).oldestQueuedAt;
  if (typeof oldest === "number") point.queueAgeMs = Math.max(point.queueAgeMs, now - oldest);
};

const movesCounts = (row: JobRow, before: JobRow | null): boolean =>
  before === null ||
  row.endedAt !== null ||
  row.attempt !== before.attempt ||
  row.retryCount !== before.retryCount;

const ENDINGS: Readonly<Partial<Record<JobRow["state"], Counter>>> = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  CANCELLED: "cancelled",
};

const count = ({ point }: OpenPoint, row: JobRow, before: JobRow | null, now: Millis): void => {
  const { counts } = point;
  if (before === null) counts.submitted += 1;
  counts.retried += row.retryCount - (before?.retryCount ?? 0);
  const started = row.attempt - (before?.attempt ?? 0);
  if (started > 0) {
    const waitedMs = Math.max(0, now - waitedSince(row, before, now));
    counts.started += started;
    point.queue.add(waitedMs);
    point.queueAgeMs = Math.max(point.queueAgeMs, waitedMs);
  }
  // A job that had ended before the turn is touched only when it was retried: it ended again.
  const ending = ENDINGS[row.state];
  if (ending === undefined) return;
  counts[ending] += 1;
  point.total.add((row.endedAt ?? now) - row.createdAt);
};

/** A rescued job keeps the time of its place in the queue: it waits since it was rescued. */
const waitedSince = (row: JobRow, before: JobRow | null, now: Millis): Millis => {
  const queuedAt = row.queuedAt ?? now;
  if (queuedAt > (before?.startedAt ?? Number.NEGATIVE_INFINITY)) return queuedAt;
  return before === null || before.state === "RUNNING" ? now : before.updatedAt;
};
