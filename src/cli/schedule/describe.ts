import { timestampMs } from "@bufbuild/protobuf/wkt";

import { CatchUpPolicySchema, type Schedule } from "../../gen/millrace/v1/schedule_service_pb.ts";
import { type Facts, factsText } from "../facts.ts";

/* How schedules read on a terminal. Pure: from messages to texts. */

type Time = Parameters<typeof timestampMs>[0];

/** `2027-03-28 03:00:00 Europe/Berlin`: as the schedule's own clock shows it. */
const localTime = (time: Time, timeZone: string): string => {
  const shown = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(timestampMs(time));
  return `${shown} ${timeZone}`;
};

const zoneOf = ({ spec }: Schedule): string => spec?.timeZone || "UTC";

export const stateText = ({ paused, pauseReason }: Schedule): string => {
  if (!paused) return "active";
  return pauseReason === "" ? "paused" : `paused: ${pauseReason}`;
};

export const nextText = (schedule: Schedule): string => {
  const [next] = schedule.nextTimes;
  return next === undefined ? "" : localTime(next, zoneOf(schedule));
};

/** What its last time came to. */
export const lastText = (schedule: Schedule): string => {
  const { lastTime, lastJobId, lastError } = schedule;
  const outcome = lastError === "" ? lastJobId && `job ${lastJobId}` : lastError;
  if (lastTime === undefined) return outcome;
  return `${localTime(lastTime, zoneOf(schedule))}  ${outcome}`.trimEnd();
};

const workOf = ({ spec }: Schedule): string => {
  const work = spec?.job?.work;
  return work?.case === "type" ? `type ${work.value}` : "script";
};

/** A line for each fact. */
export const scheduleText = (schedule: Schedule): string => {
  const [, ...later] = schedule.nextTimes;
  const facts: Facts = [
    ["schedule", schedule.id],
    ["state", stateText(schedule)],
    ["cron", `${schedule.spec?.cron ?? ""}  ${zoneOf(schedule)}`],
    ["runs", workOf(schedule)],
    ["run as", schedule.runAs],
    ["catch up", CatchUpPolicySchema.value[schedule.spec?.catchUp ?? 0]?.localName ?? ""],
    ["next", nextText(schedule)],
    ...later.map((time) => ["", localTime(time, zoneOf(schedule))] as const),
    ["last", lastText(schedule)],
    ["fired", `${schedule.fireCount} times`],
    ["version", `${schedule.version}`],
  ];
  return factsText(facts);
};
