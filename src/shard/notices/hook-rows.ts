import type { HookRow } from "../../jobs/hook.ts";
import type { HookKey } from "../../store/store.ts";
import type { Turn } from "../turn.ts";

/** Null if there is none. Its organization must have been admitted. */
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
