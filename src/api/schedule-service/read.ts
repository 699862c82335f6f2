import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  GetScheduleRequest,
  GetScheduleResponseSchema,
  ListSchedulesRequest,
  ListSchedulesResponseSchema,
} from "../../gen/millrace/v1/schedule_service_pb.ts";
import { seesOnly } from "../../identity/caller.ts";
import { collectFaults } from "../convert/faults.ts";
import { toSchedule } from "../convert/schedule.ts";
import { cutPage, openPage, pageSizeOf } from "../page.ts";
import { findSchedule, type ScheduleCall } from "./api.ts";

export const getSchedule = async (
  call: ScheduleCall,
  { scheduleId }: GetScheduleRequest,
): Promise<MessageInitShape<typeof GetScheduleResponseSchema>> => {
  const row = await findSchedule(call, scheduleId);
  return { schedule: toSchedule(row, call.api.clock.now()) };
};

export const listSchedules = async (
  call: ScheduleCall,
  request: ListSchedulesRequest,
): Promise<MessageInitShape<typeof ListSchedulesResponseSchema>> => {
  const { api, place, caller, schedules } = call;
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const { organizationId } = place;
  const paged = { seal: api.seal, organizationId, list: "schedules" };
  const after = openPage(paged, request.pageToken);
  const found = await schedules.list(place, seesOnly(caller), { after, limit: size + 1 });
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  const now = api.clock.now();
  return { schedules: rows.map((row) => toSchedule(row, now)), nextPageToken };
};
