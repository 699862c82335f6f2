import type { ConnectRouter } from "@connectrpc/connect";

import { ScheduleService } from "../../gen/millrace/v1/schedule_service_pb.ts";
import { openScheduleCall, type ScheduleApi } from "./api.ts";
import {
  createSchedule,
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
  triggerNow,
  updateSchedule,
} from "./change.ts";
import { getSchedule, listSchedules } from "./read.ts";

/** millrace.v1.ScheduleService. Never hand options to `service`: they would replace gate and interceptors. */
export const scheduleServiceRoutes = (router: ConnectRouter, api: ScheduleApi): void => {
  const open = openScheduleCall;
  router.service(ScheduleService, {
    createSchedule: async (request, context) => await createSchedule(open(api, context), request),
    getSchedule: async (request, context) => await getSchedule(open(api, context), request),
    listSchedules: async (request, context) => await listSchedules(open(api, context), request),
    updateSchedule: async (request, context) => await updateSchedule(open(api, context), request),
    pauseSchedule: async (request, context) => await pauseSchedule(open(api, context), request),
    resumeSchedule: async (request, context) => await resumeSchedule(open(api, context), request),
    triggerSchedule: async (request, context) => await triggerNow(open(api, context), request),
    deleteSchedule: async (request, context) => await deleteSchedule(open(api, context), request),
  });
};
