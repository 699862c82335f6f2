import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import { type JobSpec, JobSpecSchema } from "../../gen/millrace/v1/job_pb.ts";
import {
  CatchUpPolicy,
  CatchUpPolicySchema,
  type Schedule,
  ScheduleSchema,
  type ScheduleSpec,
} from "../../gen/millrace/v1/schedule_service_pb.ts";
import type { JsonText, Millis } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { CatchUp, ScheduleRow } from "../../jobs/schedule.ts";
import { isTimeZone, nextTimes, whyNoCron } from "../../schedules/cron.ts";
import type { Faults } from "./faults.ts";
import { isKnown, text } from "./fields.ts";

/** What a ScheduleSpec says, but for who it acts for. */
export type CheckedSchedule = Pick<ScheduleRow, "cron" | "timeZone" | "catchUp"> & {
  readonly job: JobSpec;
};

const SHOWN_TIMES = 5;

/** Whether this server can tell its times. */
export const checkTiming = (
  faults: Faults,
  spec: Pick<ScheduleSpec, "cron" | "timeZone">,
  now: Millis,
): Pick<ScheduleRow, "cron" | "timeZone"> => {
  const timeZone = spec.timeZone === "" ? "UTC" : spec.timeZone;
  const cron = text(faults, "cron", spec.cron, LIMITS.cronLength);
  if (!isTimeZone(timeZone)) {
    const shown = JSON.stringify(timeZone.slice(0, 100));
    faults.add("time_zone", `must be an IANA name, such as Europe/Berlin; it is ${shown}.`);
  } else if (cron.length <= LIMITS.cronLength) {
    const why = whyNoCron({ cron, timeZone }, now);
    if (why !== null) faults.add("cron", why);
  }
  return { cron, timeZone };
};

const catchUp = (faults: Faults, policy: CatchUpPolicy): CatchUp => {
  switch (policy) {
    case CatchUpPolicy.SKIP:
      return "SKIP";
    case CatchUpPolicy.ALL:
      return "ALL";
    default:
      if (!isKnown(CatchUpPolicySchema, policy)) {
        faults.add("catch_up", `must be SKIP, ONCE or ALL; it is ${policy}.`);
      }
      return "ONCE";
  }
};

/** `faults` speaks of the fields of the spec. The job itself is checked by whoever submits it. Null with a fault. */
export const checkSchedule = (
  faults: Faults,
  spec: ScheduleSpec,
  now: Millis,
): CheckedSchedule | null => {
  const checked = { ...checkTiming(faults, spec, now), catchUp: catchUp(faults, spec.catchUp) };
  if (spec.job === undefined) {
    faults.add("job", "is missing.");
    return null;
  }
  if (spec.job.runAt !== undefined) {
    faults.add("job.run_at", "must be left out: the schedule says when.");
  }
  return { ...checked, job: spec.job };
};

/** As it is kept. A fault if it is too long; the job has been checked, so that it can be said in JSON. */
export const jobSpecText = (faults: Faults, job: JobSpec): JsonText => {
  const json = toJsonString(JobSpecSchema, job);
  const bytes = Buffer.byteLength(json);
  if (bytes > LIMITS.scheduleSpecBytes) {
    faults.add(
      "job",
      `must have at most ${LIMITS.scheduleSpecBytes} bytes as JSON; it has ${bytes}.`,
    );
  }
  return json;
};

/** A field that a newer version wrote is left out. */
export const jobSpecOf = ({ spec }: Pick<ScheduleRow, "spec">): JobSpec =>
  fromJsonString(JobSpecSchema, spec, { ignoreUnknownFields: true });

const timesOf = (row: ScheduleRow, now: Millis): Millis[] => {
  const { pausedAt, pendingFrom, nextFireAt } = row;
  if (pausedAt !== null || nextFireAt === null) return [];
  if (pendingFrom !== null) return nextTimes(row, now, SHOWN_TIMES);
  return [nextFireAt, ...nextTimes(row, nextFireAt, SHOWN_TIMES - 1)];
};

export const toSchedule = (row: ScheduleRow, now: Millis): Schedule =>
  create(ScheduleSchema, {
    id: row.id,
    spec: {
      cron: row.cron,
      timeZone: row.timeZone,
      catchUp: CatchUpPolicy[row.catchUp],
      job: jobSpecOf(row),
    },
    creatorId: row.creatorId,
    runAs: row.runAs,
    paused: row.pausedAt !== null,
    pauseReason: row.pauseReason,
    nextTimes: timesOf(row, now).map((time) => timestampFromMs(time)),
    ...(row.lastFireAt === null ? {} : { lastTime: timestampFromMs(row.lastFireAt) }),
    lastJobId: row.lastJobId,
    lastError: row.lastError,
    fireCount: BigInt(row.fireCount),
    version: BigInt(row.version),
    createTime: timestampFromMs(row.createdAt),
    updateTime: timestampFromMs(row.changedAt),
  });
