/** Changes of a schedule by hand. `nextTime` is handed in: shard/ knows no calendar. */
import type { Actor, AuditAction } from "../../jobs/audit.ts";
import { JobFault, scheduleNotFound } from "../../jobs/errors.ts";
import type { Millis } from "../../jobs/job.ts";
import type { ScheduleRow } from "../../jobs/schedule.ts";
import type { ScheduleKey } from "../../store/store.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/** The first time after that moment; null if none ever comes. Pure. */
export type NextTime = (
  timing: Pick<ScheduleRow, "cron" | "timeZone">,
  after: Millis,
) => Millis | null;

/** What a change by hand may give a schedule. */
export type ScheduleFacts = Pick<ScheduleRow, "cron" | "timeZone" | "catchUp" | "spec" | "runAs">;

const ROW_BYTES = 500;

const change = <Outcome>(
  key: ScheduleKey,
  bytes: number,
  apply: (turn: Turn) => Outcome,
): Command<Outcome> => ({
  weight: 1,
  bytes,
  want: (_state, wanted) => {
    const { organizationId, id } = key;
    wanted.schedules.push({ organizationId, id });
  },
  apply,
});

/** The schedule that was read, as it stands now; null if it is gone, or another has its id. */
export const sameSchedule = (turn: Turn, read: ScheduleRow): ScheduleRow | null => {
  const row = turn.schedules.find(read);
  if (row === null || row.createdAt !== read.createdAt || row.creatorId !== read.creatorId) {
    return null;
  }
  return row;
};

const note = (turn: Turn, row: ScheduleRow, by: Actor, action: AuditAction, reason = ""): void => {
  turn.audit(row.organizationId, {
    actor: by,
    action,
    subject: row.id,
    details: reason === "" ? null : JSON.stringify({ reason }),
  });
};

/** Changed by hand: the version rises. */
const put = (turn: Turn, row: ScheduleRow): ScheduleRow =>
  turn.schedules.put({ ...row, version: row.version + 1, changedAt: turn.now });

/** Refuses with SCHEDULE_ALREADY_EXISTS. The owner fills in times and version. */
export const createSchedule = (
  row: ScheduleRow,
  nextTime: NextTime,
  by: Actor,
): Command<ScheduleRow | JobFault> =>
  change(row, ROW_BYTES + row.spec.length, (turn) => {
    if (turn.schedules.find(row) !== null) {
      return new JobFault("SCHEDULE_ALREADY_EXISTS", `There is a schedule ${row.id} already.`, {
        metadata: { schedule_id: row.id },
      });
    }
    note(turn, row, by, "schedule.create");
    const paused = row.pausedAt !== null;
    return turn.schedules.put({
      ...row,
      pausedAt: paused ? turn.now : null,
      nextFireAt: paused ? null : nextTime(row, turn.now),
      version: 1,
      createdAt: turn.now,
      changedAt: turn.now,
    });
  });

/**
 * Gives it new facts; a time that has come and was not fired yet stays, if the timing does.
 * `version` 0: whatever it is. Refuses with SCHEDULE_NOT_FOUND, SCHEDULE_CHANGED.
 */
export const updateSchedule = (
  read: ScheduleRow,
  version: number,
  facts: ScheduleFacts,
  nextTime: NextTime,
  by: Actor,
): Command<ScheduleRow | JobFault> =>
  change(read, ROW_BYTES + facts.spec.length, (turn) => {
    const row = sameSchedule(turn, read);
    if (row === null) return scheduleNotFound(read.id);
    if (version !== 0 && version !== row.version) {
      return new JobFault(
        "SCHEDULE_CHANGED",
        `The schedule has been changed: it has version ${row.version} by now. Read it again.`,
        { metadata: { schedule_id: row.id, version: String(row.version) } },
      );
    }
    note(turn, row, by, "schedule.update");
    const timed = row.cron === facts.cron && row.timeZone === facts.timeZone;
    if (timed || row.pausedAt !== null) return put(turn, { ...row, ...facts });
    const nextFireAt = nextTime(facts, turn.now);
    return put(turn, { ...row, ...facts, nextFireAt, pendingFrom: null });
  });

/** It stands and is not paused. What is outstanding of it is left out. */
export const pauseNow = (turn: Turn, row: ScheduleRow, reason: string, by: Actor): ScheduleRow => {
  note(turn, row, by, "schedule.pause", reason);
  const paused = { pausedAt: turn.now, pauseReason: reason };
  return put(turn, { ...row, ...paused, nextFireAt: null, pendingFrom: null });
};

/** Pausing twice changes nothing. Refuses with SCHEDULE_NOT_FOUND. */
export const pauseSchedule = (
  read: ScheduleRow,
  reason: string,
  by: Actor,
): Command<ScheduleRow | JobFault> =>
  change(read, 0, (turn) => {
    const row = sameSchedule(turn, read);
    if (row === null) return scheduleNotFound(read.id);
    return row.pausedAt === null ? pauseNow(turn, row, reason, by) : row;
  });

/** Goes on with the next time. One that is not paused stays as it is. Refuses with SCHEDULE_NOT_FOUND. */
export const resumeSchedule = (
  read: ScheduleRow,
  nextTime: NextTime,
  by: Actor,
): Command<ScheduleRow | JobFault> =>
  change(read, 0, (turn) => {
    const row = sameSchedule(turn, read);
    if (row === null) return scheduleNotFound(read.id);
    if (row.pausedAt === null) return row;
    note(turn, row, by, "schedule.resume");
    const nextFireAt = nextTime(row, turn.now);
    return put(turn, { ...row, pausedAt: null, pauseReason: "", nextFireAt });
  });

/** Refuses with SCHEDULE_NOT_FOUND. */
export const deleteSchedule = (read: ScheduleRow, by: Actor): Command<JobFault | null> =>
  change(read, 0, (turn) => {
    const row = sameSchedule(turn, read);
    if (row === null) return scheduleNotFound(read.id);
    note(turn, row, by, "schedule.delete");
    turn.schedules.remove(row);
    return null;
  });
