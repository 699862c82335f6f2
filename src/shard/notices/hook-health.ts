import { SERVER } from "../../jobs/audit.ts";
import type { DeliveryRow } from "../../jobs/delivery.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Turn } from "../turn.ts";
import { findHook, pauseNow, putHook } from "./hook-rows.ts";

/**
 * A notice was delivered, or will not be tried again: a hook whose notices keep failing is paused. Of a
 * callback, and of a hook that is gone, there is nothing to say. The command has to `wantHooks`.
 */
export const hookOutcome = (
  turn: Turn,
  { organizationId, hookId }: DeliveryRow,
  delivered: boolean,
): void => {
  const hook = findHook(turn, { organizationId, id: hookId });
  if (hook === null || (delivered && hook.failures === 0)) return;
  const failures = delivered ? 0 : hook.failures + 1;
  const judged = putHook(turn, { ...hook, failures });
  if (failures < LIMITS.hookFailures || judged.pausedAt !== null) return;
  pauseNow(turn, judged, `The last ${failures} notices could not be delivered.`, SERVER);
};
