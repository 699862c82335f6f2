import type { JobId, OrganizationId, UserId } from "../../jobs/ids.ts";
import type { ScheduleRow } from "../../jobs/schedule.ts";
import type { DatabaseRow } from "../engine.ts";
import { CATCH_UP_CODES } from "./codes.ts";
import { binding, type Column, numberOf, numberOrNull, textOf } from "./column.ts";

const KEY: readonly Column<Pick<ScheduleRow, "organizationId" | "id">>[] = [
  ["organization_id", (schedule) => schedule.organizationId],
  ["id", (schedule) => schedule.id],
];

export const UPSERT_SCHEDULE = binding<ScheduleRow>("schedules", "upsert", KEY, [
  ["cron", (schedule) => schedule.cron],
  ["time_zone", (schedule) => schedule.timeZone],
  ["catch_up", (schedule) => CATCH_UP_CODES.numbers[schedule.catchUp]],
  ["spec", (schedule) => schedule.spec],
  ["creator_id", (schedule) => schedule.creatorId],
  ["run_as", (schedule) => schedule.runAs],
  ["paused_at", (schedule) => schedule.pausedAt],
  ["pause_reason", (schedule) => schedule.pauseReason],
  ["next_fire_at", (schedule) => schedule.nextFireAt],
  ["pending_from", (schedule) => schedule.pendingFrom],
  ["last_fire_at", (schedule) => schedule.lastFireAt],
  ["last_job_id", (schedule) => schedule.lastJobId],
  ["last_error", (schedule) => schedule.lastError],
  ["fire_count", (schedule) => schedule.fireCount],
  ["version", (schedule) => schedule.version],
  ["created_at", (schedule) => schedule.createdAt],
  ["changed_at", (schedule) => schedule.changedAt],
]);

export const DELETE_SCHEDULE = binding("schedules", "delete", KEY, []);

export const scheduleOf = (row: DatabaseRow): ScheduleRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  id: textOf(row, "id"),
  cron: textOf(row, "cron"),
  timeZone: textOf(row, "time_zone"),
  catchUp: CATCH_UP_CODES.nameOf(numberOf(row, "catch_up")),
  spec: textOf(row, "spec"),
  creatorId: textOf(row, "creator_id") as UserId | "",
  runAs: textOf(row, "run_as") as UserId | "",
  pausedAt: numberOrNull(row, "paused_at"),
  pauseReason: textOf(row, "pause_reason"),
  nextFireAt: numberOrNull(row, "next_fire_at"),
  pendingFrom: numberOrNull(row, "pending_from"),
  lastFireAt: numberOrNull(row, "last_fire_at"),
  lastJobId: textOf(row, "last_job_id") as JobId | "",
  lastError: textOf(row, "last_error"),
  fireCount: numberOf(row, "fire_count"),
  version: numberOf(row, "version"),
  createdAt: numberOf(row, "created_at"),
  changedAt: numberOf(row, "changed_at"),
});
