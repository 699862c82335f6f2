import type { Actor, AuditAction } from "../../jobs/audit.ts";
import type { HookRow } from "../../jobs/hook.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import type { HookKey } from "../../store/store.ts";
import type { Wanted } from "../commands/command.ts";
import type { ShardState } from "../state.ts";
import type { Turn } from "../turn.ts";

/** Hooks are in memory once their organization is: for every command that may touch one. */
export const wantHooks = (
  state: ShardState,
  wanted: Wanted,
  organizationId: OrganizationId,
): void => {
  if (state.organization(organizationId) === undefined) wanted.organizations.push(organizationId);
};

/** Null if there is none. */
export const findHook = (turn: Turn, { organizationId, id }: HookKey): HookRow | null =>
  id === "" ? null : (turn.state.organization(organizationId)?.hooks.find(id) ?? null);

/** A new hook, or one that has changed: in memory and in the commit. */
export const putHook = (turn: Turn, row: HookRow): HookRow => {
  turn.state.setHook(row);
  turn.notices.putHook(row);
  return row;
};

export const removeHook = (turn: Turn, row: HookRow): void => {
  turn.state.removeHook(row);
  turn.notices.removeHook(row);
};

export const auditHook = (
  turn: Turn,
  row: HookRow,
  by: Actor,
  action: AuditAction,
  reason = "",
): void => {
  turn.audit(row.organizationId, {
    actor: by,
    action,
    subject: row.id,
    details: reason === "" ? null : JSON.stringify({ reason }),
  });
};

/** It stands and is not paused. */
export const pauseNow = (turn: Turn, row: HookRow, reason: string, by: Actor): HookRow => {
  auditHook(turn, row, by, "hook.pause", reason);
  return putHook(turn, {
    ...row,
    pausedAt: turn.now,
    pauseReason: reason,
    changedAt: turn.now,
  });
};
