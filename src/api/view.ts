import type { JobRow, Millis } from "../jobs/job.ts";
import { hasEnded } from "../jobs/states.ts";

const SOON_MS = 1_000;
const QUEUED_MIN_MS = 2_000;
const QUEUED_MAX_MS = 5_000;
const LATEST_MS = 60_000;

const between = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value));

/**
 * When to ask again, in milliseconds (row A4): sooner when running, later when queued (the longer it
 * has waited, the later), at its time when it waits for one. Null once the job has ended.
 */
export const pollAfterMs = (job: JobRow, now: Millis): number | null => {
  if (hasEnded(job.state)) return null;
  switch (job.state) {
    case "RUNNING":
      return SOON_MS;
    case "QUEUED":
      return between(Math.round((now - (job.queuedAt ?? now)) / 10), QUEUED_MIN_MS, QUEUED_MAX_MS);
    case "SCHEDULED":
    case "RETRYING":
      return between(job.runAt - now, SOON_MS, LATEST_MS);
    default:
      return QUEUED_MAX_MS;
  }
};
