import type { DeliveryRow } from "../../jobs/delivery.ts";
import type { HookRow } from "../../jobs/hook.ts";
import type { DeliveryId } from "../../jobs/ids.ts";
import type { JobRow, JsonText } from "../../jobs/job.ts";
import { owedNotice } from "../../jobs/notice.ts";
import type { Turn } from "../turn.ts";

export type HookNotice = {
  /** `job.succeeded`, `threshold.above`, `hook.test` … */
  readonly event: string;
  /** Null for thresholds and tests. */
  readonly job: JobRow | null;
  readonly body: JsonText;
};

/** Puts a notice for a hook into the outbox: it is due at once. */
export const oweHook = (
  turn: Turn,
  { organizationId, id, target }: HookRow,
  { event, job, body }: HookNotice,
): DeliveryRow => {
  const owed = owedNotice(
    {
      organizationId,
      id: turn.newId() as DeliveryId,
      event,
      jobId: job?.id ?? "",
      attempt: job?.state === "SUCCEEDED" ? job.attempt : 0,
      hookId: id,
      url: target.kind === "url" ? target.url : "",
      origin: turn.state.organization(organizationId)?.hooks.origin(id) ?? "",
      jobType: target.kind === "job" ? target.type : "",
      body,
    },
    turn.now,
  );
  return turn.notices.put({ ...owed, hookChain: job?.hookChain ?? [] });
};
