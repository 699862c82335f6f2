import type { DeliveryRow } from "../../jobs/delivery.ts";
import type { HookRow } from "../../jobs/hook.ts";
import type { DeliveryId } from "../../jobs/ids.ts";
import type { JobRow, JsonText } from "../../jobs/job.ts";
import type { Turn } from "../turn.ts";

export type HookNotice = {
  /** `job.succeeded`, `threshold.above`, `hook.test` … */
  readonly event: string;
  /** Null for thresholds and tests. */
  readonly job: JobRow | null;
  readonly body: JsonText;
};

/** Puts a notice for a hook into the outbox: it is due at once. */
export const newDelivery = (
  turn: Turn,
  { organizationId, id, target }: HookRow,
  { event, job, body }: HookNotice,
): DeliveryRow =>
  turn.notices.put({
    organizationId,
    id: turn.newId() as DeliveryId,
    state: "PENDING",
    event,
    jobId: job?.id ?? "",
    attempt: job?.state === "SUCCEEDED" ? job.attempt : 0,
    hookId: id,
    url: target.kind === "url" ? target.url : "",
    origin: turn.state.organization(organizationId)?.hooks.origin(id) ?? "",
    jobType: target.kind === "job" ? target.type : "",
    submittedJobId: "",
    body,
    scheduleTries: 0,
    tries: 0,
    createdAt: turn.now,
    nextTryAt: turn.now,
    endedAt: null,
    lastError: "",
    purgeAt: null,
  });
