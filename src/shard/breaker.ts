import type { BreakerRow } from "../jobs/breaker.ts";
import type { AttemptRow } from "../jobs/job.ts";

/** So many crashes in a row open the breaker. */
export const CRASHES_TO_OPEN = 5;
export const FIRST_PAUSE_MS = 30_000;
export const LONGEST_PAUSE_MS = 600_000;

/** A runner refused to start it, because of what its crashes there have told already. */
const REFUSED = "script.quarantined";

/** Errors with which a sandbox goes down, or has to be killed because of what the job does in it. */
const CRASHES: ReadonlySet<string> = new Set(["runner.crashed", "memory", "timeout.cpu"]);

/**
 * What the end of an attempt says about its type. Nothing: it was cancelled, or did not begin, or it
 * waited too long for something else, of which the sandbox is not to blame.
 */
export const verdictOf = ({ outcome, error }: AttemptRow): "crashed" | "survived" | "nothing" => {
  switch (outcome) {
    case "LOST":
      return "crashed";
    case "CANCELLED":
      return "nothing";
    case "SUCCEEDED":
      return "survived";
    case "FAILED":
      if (error?.code === REFUSED) return "nothing";
      if (error === null || error.code.startsWith("timeout.")) {
        return error?.code === "timeout.cpu" ? "crashed" : "nothing";
      }
      return CRASHES.has(error.code) ? "crashed" : "survived";
  }
};

type Key = Pick<BreakerRow, "organizationId" | "type">;

/** The breaker after one more crash. `before` is null for a type that fared well so far. */
export const crashed = (
  before: BreakerRow | null,
  { organizationId, type }: Key,
  what: string,
  now: number,
): BreakerRow => {
  const failures = (before?.failures ?? 0) + 1;
  const trips = before?.trips ?? 0;
  const closed = before === null || before.openedAt === null;
  if (closed && failures < CRASHES_TO_OPEN) {
    const closedStill = { trips, openedAt: null, retryAt: null, reason: "" };
    return { organizationId, type, failures, ...closedStill };
  }
  // Attempts that were under way when it opened tell nothing new.
  if (!closed && now < (before.retryAt ?? 0)) return { ...before, failures };
  return {
    organizationId,
    type,
    failures,
    trips: trips + 1,
    openedAt: before?.openedAt ?? now,
    retryAt: now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** trips),
    reason: `${failures} attempts in a row crashed; the last one: ${what}.`,
  };
};

/** A breaker that has nothing against its type any more. */
export const closed = ({ organizationId, type }: Key): BreakerRow => ({
  organizationId,
  type,
  failures: 0,
  trips: 0,
  openedAt: null,
  retryAt: null,
  reason: "",
});
