import type { DeliveryRow } from "../../jobs/delivery.ts";
import type { HookRow } from "../../jobs/hook.ts";
import type { DeliveryId } from "../../jobs/ids.ts";
import { owedNotice } from "../../jobs/notice.ts";
import type { HookNotice } from "../../jobs/unfinished.ts";
import type { Turn } from "../turn.ts";

/** Of what a notice may say of a job, for one that is of none. */
export const OF_NO_JOB = { jobId: "", attempt: 0, hookChain: [] } as const;

/** Puts a notice for a hook into the outbox: it is due at once. */
export const oweHook = (
  turn: Turn,
  { organizationId, id, target }: HookRow,
  { event, jobId, attempt, hookChain, body }: HookNotice,
): DeliveryRow => {
  const owed = owedNotice(
    {
      organizationId,
      id: turn.newId() as DeliveryId,
      event,
      jobId,
      attempt,
      hookId: id,
      url: target.kind === "url" ? target.url : "",
      origin: turn.state.organization(organizationId)?.hooks.origin(id) ?? "",
      jobType: target.kind === "job" ? target.type : "",
      body,
    },
    turn.now,
  );
  return turn.notices.put({ ...owed, hookChain });
};
