import type { HandlerContext } from "@connectrpc/connect";

import { maySee } from "../../identity/caller.ts";
import { scheduleNotFound } from "../../jobs/errors.ts";
import type { ScheduleRow } from "../../jobs/schedule.ts";
import type { ScheduleStore } from "../../store/store.ts";
import { invalidField } from "../convert/faults.ts";
import { type Call, type JobApi, openCall } from "../job-service/api.ts";

/** What the handlers of ScheduleService work with. */
export type ScheduleApi = {
  readonly jobs: JobApi;
  readonly schedules: ScheduleStore;
};

export type ScheduleCall = Call & Pick<ScheduleApi, "schedules">;

export const openScheduleCall = (
  { jobs, schedules }: ScheduleApi,
  context: HandlerContext,
): ScheduleCall => ({ ...openCall(jobs, context), schedules });

/** MySQL compares such columns with nothing else. */
export const SCHEDULE_ID = /^[A-Za-z0-9._-]{1,100}$/;

/**
 * The schedule, if the caller may see it.
 * @throws JobFault SCHEDULE_NOT_FOUND, in the same words whether it is hidden or absent; INVALID_ARGUMENT for an empty id
 */
export const findSchedule = async (
  { caller, place, schedules }: ScheduleCall,
  id: string,
): Promise<ScheduleRow> => {
  if (id === "") throw invalidField("schedule_id", "is missing.");
  const row = SCHEDULE_ID.test(id) ? await schedules.find(place, id) : null;
  if (row === null || !maySee(caller, row)) throw scheduleNotFound(id);
  return row;
};
