import { lose } from "../../jobs/attempt-end.ts";
import type { LeaseToken, RunnerId } from "../../jobs/ids.ts";
import type { AttemptRef } from "../../jobs/report.ts";
import type { ActiveJob } from "../active-job.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";
import { isAttemptOf } from "./report.ts";

/** An attempt that its runner does not list may still be on its way there for so long. */
export const DELIVERY_GRACE_MS = 5_000;

export type Reconciled = {
  /** Held by the runner, but not its any more. */
  readonly lost: readonly AttemptRef[];
  /** Held by the runner, and to be stopped. */
  readonly cancellations: readonly AttemptRef[];
};

export const refOf = ({ row }: ActiveJob): AttemptRef | null =>
  row.leaseToken === ""
    ? null
    : {
        organizationId: row.organizationId,
        jobId: row.id,
        attempt: row.attempt,
        leaseToken: row.leaseToken,
      };

/** Takes an attempt away from its runner; the job goes to another, or ends. */
export const takeAway = (turn: Turn, job: ActiveJob): void => {
  const { patch, attempt } = lose(job.row, turn.now);
  turn.change(job, patch);
  turn.attempts.push(attempt);
};

/** Each goes back before all others of its queue: the oldest, put back last, is the first again. */
export const newestFirst = (jobs: ReadonlySet<ActiveJob> | undefined): ActiveJob[] =>
  [...(jobs ?? [])].toReversed();

/**
 * Compares what a runner holds with what it was given: a lost answer costs 5 s, not a timeout.
 * What is on its way there cannot be listed yet; how long ago it was told is known to the server
 * that told it, and for those of an earlier owner the start has to stand in.
 */
export const reconcile = (
  runnerId: RunnerId,
  held: readonly AttemptRef[],
  onTheirWay: ReadonlySet<LeaseToken>,
): Command<Reconciled> => ({
  weight: 1,
  bytes: 0,
  want: () => {},
  apply: (turn) => {
    const lost: AttemptRef[] = [];
    const cancellations: AttemptRef[] = [];
    const seen = new Set<ActiveJob>();
    for (const ref of held) {
      const job = turn.state.find(ref.organizationId, ref.jobId);
      if (job === undefined || job.row.state !== "RUNNING" || !isAttemptOf(job.row, ref)) {
        lost.push(ref);
        continue;
      }
      seen.add(job);
      if (job.row.cancelRequestedAt !== null) cancellations.push(ref);
    }
    for (const job of newestFirst(turn.state.runners.get(runnerId))) {
      const since = turn.now - (job.row.startedAt ?? 0);
      if (seen.has(job) || since <= DELIVERY_GRACE_MS) continue;
      if (!onTheirWay.has(job.row.leaseToken as LeaseToken)) takeAway(turn, job);
    }
    return { lost, cancellations };
  },
});
