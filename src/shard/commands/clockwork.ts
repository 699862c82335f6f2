import { end } from "../../jobs/attempt-end.ts";
import type { RunnerId } from "../../jobs/ids.ts";
import type { JobError, JobRow } from "../../jobs/job.ts";
import { becomeDue, expire, hasOutlived, TOTAL_TIMEOUT } from "../../jobs/transitions.ts";
import type { ActiveJob } from "../active-job.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";
import { newestFirst, takeAway } from "./reconcile.ts";

/** A runner ends an attempt at its timeout by itself; after so much longer it is taken away. */
const TIMEOUT_GRACE_MS = 15_000;

/**
 * Does what time has brought: due jobs become QUEUED, jobs past their deadline fail, and so do
 * attempts of external work at their timeout; paused types are tried again.
 */
export const wakeUp = (limit: number): Command<void> => ({
  weight: 1,
  bytes: 0,
  want: () => {},
  apply: (turn) => {
    turn.state.trials.begin(turn.now);
    for (let count = 0; count < limit; count += 1) {
      const job = turn.state.timers.due(turn.now);
      if (job === undefined) return;
      const { row } = job;
      if (row.state === "RUNNING") {
        endUnreported(turn, job);
      } else if (hasOutlived(row, turn.now)) {
        turn.change(job, expire(row, turn.now));
      } else {
        turn.change(job, becomeDue(row, turn.now));
      }
    }
  },
});

/** Nobody said in time how the external attempt ended. No retry comes after the total timeout. */
const endUnreported = (turn: Turn, job: ActiveJob): void => {
  const error: JobError = hasOutlived(job.row, turn.now)
    ? TOTAL_TIMEOUT
    : {
        code: "timeout.wall",
        message: `nobody reported the end of the attempt within ${job.row.attemptTimeoutMs} ms`,
        stack: "",
        retryable: true,
      };
  const failed = { kind: "failed" as const, error, cpuMs: 0, peakMemoryBytes: 0 };
  const { patch, attempt } = end(job.row, failed, turn.now, turn.random());
  turn.change(job, patch);
  turn.attempts.push(attempt);
};

/** Takes away every attempt of runners that fell silent. */
export const loseRunner = (runnerId: RunnerId): Command<void> => ({
  weight: 1,
  bytes: 0,
  want: () => {},
  apply: (turn) => {
    for (const job of newestFirst(turn.state.runners.get(runnerId))) takeAway(turn, job);
  },
});

/** Takes away attempts whose runner lives but lets them run far beyond their timeout. */
export const sweepOverdue = (): Command<void> => ({
  weight: 1,
  bytes: 0,
  want: () => {},
  apply: (turn) => {
    for (const jobs of [...turn.state.runners.values()]) {
      for (const job of newestFirst(jobs)) {
        if (turn.now > shouldHaveEndedBy(job.row) + TIMEOUT_GRACE_MS) takeAway(turn, job);
      }
    }
  },
});

/** The runner was told to end the attempt by then. */
const shouldHaveEndedBy = ({ startedAt, attemptTimeoutMs, deadlineAt }: JobRow): number =>
  Math.min(
    (startedAt ?? Number.POSITIVE_INFINITY) + attemptTimeoutMs,
    deadlineAt ?? Number.POSITIVE_INFINITY,
  );
