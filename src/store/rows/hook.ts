import type { HookEvent, HookRow, HookTarget } from "../../jobs/hook.ts";
import type { HookId, OrganizationId, UserId } from "../../jobs/ids.ts";
import type { DatabaseRow } from "../engine.ts";
import type { HookKey } from "../store.ts";
import { binding, type Column, numberOf, numberOrNull, textOf } from "./column.ts";

const KEY: readonly Column<HookKey>[] = [
  ["organization_id", (hook) => hook.organizationId],
  ["id", (hook) => hook.id],
];

export const UPSERT_HOOK = binding<HookRow>("hooks", "upsert", KEY, [
  ["name", (hook) => hook.name],
  ["event", (hook) => JSON.stringify(hook.event)],
  ["target", (hook) => JSON.stringify(hook.target)],
  ["creator_id", (hook) => hook.creatorId],
  ["paused_at", (hook) => hook.pausedAt],
  ["pause_reason", (hook) => hook.pauseReason],
  ["failures", (hook) => hook.failures],
  ["loops_stopped", (hook) => hook.loopsStopped],
  ["loop_reason", (hook) => hook.loopReason],
  ["above_since", (hook) => hook.aboveSince],
  ["firing", (hook) => Number(hook.firing)],
  ["version", (hook) => hook.version],
  ["created_at", (hook) => hook.createdAt],
  ["changed_at", (hook) => hook.changedAt],
]);

export const DELETE_HOOK = binding("hooks", "delete", KEY, []);

export const hookOf = (row: DatabaseRow): HookRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  id: textOf(row, "id") as HookId,
  name: textOf(row, "name"),
  event: JSON.parse(textOf(row, "event")) as HookEvent,
  target: JSON.parse(textOf(row, "target")) as HookTarget,
  creatorId: textOf(row, "creator_id") as UserId | "",
  pausedAt: numberOrNull(row, "paused_at"),
  pauseReason: textOf(row, "pause_reason"),
  failures: numberOf(row, "failures"),
  loopsStopped: numberOf(row, "loops_stopped"),
  loopReason: textOf(row, "loop_reason"),
  aboveSince: numberOrNull(row, "above_since"),
  firing: numberOf(row, "firing") !== 0,
  version: numberOf(row, "version"),
  createdAt: numberOf(row, "created_at"),
  changedAt: numberOf(row, "changed_at"),
});
