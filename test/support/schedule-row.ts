import type { ScheduleRow } from "../../src/jobs/schedule.ts";
import { ACME } from "./store-rows.ts";

/** Fires every minute, and has never fired; with only the facts that matter said. */
export const aScheduleRow = (facts: Partial<ScheduleRow> = {}): ScheduleRow => ({
  organizationId: ACME,
  id: "nightly",
  cron: "* * * * *",
  timeZone: "UTC",
  catchUp: "ONCE",
  spec: "{}",
  creatorId: "",
  runAs: "",
  pausedAt: null,
  pauseReason: "",
  nextFireAt: 60_000,
  pendingFrom: null,
  lastFireAt: null,
  lastJobId: "",
  lastError: "",
  fireCount: 0,
  version: 1,
  createdAt: 0,
  changedAt: 0,
  ...facts,
});
