/** What a schedule submits. The jobs and what the schedule says of them are one commit. */
import { type Actor, SERVER } from "../../jobs/audit.ts";
import { JobFault, type Reason, scheduleNotFound } from "../../jobs/errors.ts";
import type { JobRow, Millis } from "../../jobs/job.ts";
import type { ScheduleRow } from "../../jobs/schedule.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";
import { pauseNow, sameSchedule } from "./schedule.ts";
import { submit, takeIn } from "./submit.ts";

/** One time of a schedule, and the job for it, or why there can be none. */
export type Run = { readonly at: Millis; readonly submission: Submission | JobFault };

/** What is to be done about a schedule whose time has come. */
export type Firing = {
  /** As it was read: if it is not exactly so any more, nothing happens. */
  readonly read: ScheduleRow;
  /** Oldest first. */
  readonly runs: readonly Run[];
  readonly next: Pick<ScheduleRow, "nextFireAt" | "pendingFrom">;
};

/** Refusals that pass: the time is tried again. All others are noted, and the schedule goes on. */
const PASSING: ReadonlySet<Reason> = new Set(["QUEUE_FULL", "INTERNAL"]);
export const RETRY_MS = 30_000;

/** What the columns hold, in characters. */
const ERROR_LENGTH = 1_000;
const PAUSE_REASON_LENGTH = 500;

const isJob = (submission: Submission | JobFault): submission is Submission =>
  !(submission instanceof JobFault);

const errorText = (fault: JobFault): string =>
  `${fault.reason}: ${fault.message}`.slice(0, ERROR_LENGTH);

/** True while the schedule stands as it was read: nobody has fired, changed or paused it since. */
const standsAsRead = (row: ScheduleRow, read: ScheduleRow): boolean =>
  row.version === read.version &&
  row.nextFireAt === read.nextFireAt &&
  row.pendingFrom === read.pendingFrom &&
  row.pausedAt === null;

const commandFor = <Outcome>(
  read: ScheduleRow,
  submissions: readonly Submission[],
  apply: (turn: Turn) => Outcome,
): Command<Outcome> => {
  const { weight, bytes, want } = submit(submissions);
  return {
    weight: weight + 1,
    bytes: bytes + read.spec.length,
    want: (state, wanted) => {
      want(state, wanted);
      wanted.schedules.push({ organizationId: read.organizationId, id: read.id });
    },
    apply,
  };
};

/**
 * Fires, if the schedule still stands as it was read; false if it does not. Two servers that both
 * believe to own the shard, or one that asks twice, find the other's `nextFireAt`, or lose at the
 * fence: no time fires twice.
 */
export const fire = ({ read, runs, next }: Firing): Command<boolean> =>
  commandFor(read, runs.map(({ submission }) => submission).filter(isJob), (turn) => {
    const row = sameSchedule(turn, read);
    if (row === null || !standsAsRead(row, read)) return false;
    let fired: ScheduleRow = { ...row, ...next };
    for (const { at, submission } of runs) {
      const outcome = isJob(submission) ? takeIn(turn, submission) : submission;
      if (!(outcome instanceof JobFault)) {
        fired = withJob(fired, outcome.job, at);
        continue;
      }
      fired = { ...fired, lastJobId: "", lastError: errorText(outcome) };
      if (PASSING.has(outcome.reason)) {
        fired = { ...fired, pendingFrom: at, nextFireAt: turn.now + RETRY_MS };
        break;
      }
      fired = { ...fired, lastFireAt: at };
    }
    turn.schedules.put(fired);
    return true;
  });

/**
 * Pauses a schedule that cannot fire until somebody mends it, if it still stands as it was read:
 * somebody may have mended it meanwhile. False if it does not.
 */
export const giveUp = (read: ScheduleRow, reason: string): Command<boolean> =>
  commandFor(read, [], (turn) => {
    const row = sameSchedule(turn, read);
    if (row === null || !standsAsRead(row, read)) return false;
    pauseNow(turn, row, reason.slice(0, PAUSE_REASON_LENGTH), SERVER);
    return true;
  });

const withJob = (row: ScheduleRow, job: JobRow, at: Millis): ScheduleRow => ({
  ...row,
  lastFireAt: at,
  lastJobId: job.id,
  lastError: "",
  fireCount: row.fireCount + 1,
});

/** One job now, beside the schedule's own times. Refuses with SCHEDULE_NOT_FOUND, and as `submit` does. */
export const triggerSchedule = (
  read: ScheduleRow,
  submission: Submission,
  by: Actor,
): Command<JobRow | JobFault> =>
  commandFor(read, [submission], (turn) => {
    const row = sameSchedule(turn, read);
    if (row === null) return scheduleNotFound(read.id);
    const outcome = takeIn(turn, submission);
    if (outcome instanceof JobFault) return outcome;
    turn.audit(row.organizationId, {
      actor: by,
      action: "schedule.trigger",
      subject: row.id,
      details: JSON.stringify({ job_id: outcome.job.id }),
    });
    turn.schedules.put(withJob(row, outcome.job, turn.now));
    return outcome.job;
  });
