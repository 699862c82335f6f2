import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";

import type {
  GetScheduleRequest,
  GetScheduleResponseSchema,
  ListSchedulesRequest,
  ListSchedulesResponseSchema,
} from "../../gen/millrace/v1/schedule_service_pb.ts";
import { seesOnly } from "../../identity/caller.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { collectFaults } from "../convert/faults.ts";
import { numberWithin } from "../convert/fields.ts";
import { toSchedule } from "../convert/schedule.ts";
import { findSchedule, type ScheduleCall } from "./api.ts";

const PAGE = z.object({ afterSchedule: z.string() });

export const getSchedule = async (
  call: ScheduleCall,
  { scheduleId }: GetScheduleRequest,
): Promise<MessageInitShape<typeof GetScheduleResponseSchema>> => {
  const row = await findSchedule(call, scheduleId);
  return { schedule: toSchedule(row, call.api.clock.now()) };
};

export const listSchedules = async (
  call: ScheduleCall,
  { pageSize, pageToken }: ListSchedulesRequest,
): Promise<MessageInitShape<typeof ListSchedulesResponseSchema>> => {
  const { api, place, caller, schedules } = call;
  const faults = collectFaults();
  const { max, default: standard } = LIMITS.pageSize;
  const asked = numberWithin(faults, "page_size", pageSize, { min: 0, max });
  faults.throwIfAny();
  const size = asked === 0 ? standard : asked;
  const token = { field: "page_token", text: pageToken };
  const after =
    pageToken === ""
      ? null
      : api.seal.open("page", place.organizationId, token, PAGE).afterSchedule;
  // One more than the page tells whether there is another.
  const rows = await schedules.list(place, seesOnly(caller), { after, limit: size + 1 });
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const now = api.clock.now();
  return {
    schedules: page.map((row) => toSchedule(row, now)),
    nextPageToken:
      rows.length > size && last !== undefined
        ? api.seal.seal("page", place.organizationId, { afterSchedule: last.id })
        : "",
  };
};
