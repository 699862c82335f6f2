import type { DeliveryRow, DeliveryTryRow } from "../../jobs/delivery.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { Submission } from "../../jobs/submission.ts";
import { findHook } from "../notices/hook-rows.ts";
import { endDelivery, wantDelivery } from "./delivery.ts";
import type { Command } from "./command.ts";
import { HOOK_DELETED } from "./drop-deliveries.ts";
import { submit, takeIn } from "./submit.ts";

/** When the job was being prepared. */
export type HookTry = Pick<DeliveryTryRow, "startedAt" | "durationMs">;

/**
 * Submits the job that is a hook's notice: it and the end of the delivery are one commit, so that each
 * notice makes one job. A notice that has ended meanwhile makes none. Refuses as `submit` does; then
 * nothing has changed.
 */
export const submitForHook = (
  read: DeliveryRow,
  submission: Submission,
  { startedAt, durationMs }: HookTry,
): Command<JobFault | null> => {
  const { weight, bytes, want } = submit([submission]);
  return {
    weight: weight + 2,
    bytes,
    want: (state, wanted) => {
      want(state, wanted);
      wantDelivery(state, wanted, read);
    },
    apply: (turn) => {
      const { organizationId, id } = read;
      const found = turn.notices.delivery(read);
      if (found?.state !== "PENDING" || found.hookId === "") return null;
      if (findHook(turn, { organizationId, id: found.hookId }) === null) {
        endDelivery(turn, { ...found, lastError: HOOK_DELETED }, "FAILED");
        return null;
      }
      const hookChain = [...found.hookChain, found.hookId];
      const outcome = takeIn(turn, { ...submission, job: { ...submission.job, hookChain } });
      if (outcome instanceof JobFault) return outcome;
      const tries = found.tries + 1;
      turn.notices.addTry({
        ...{ organizationId, deliveryId: id, try: tries, startedAt, durationMs },
        ...{ status: 0, error: "" },
      });
      const scheduleTries = found.scheduleTries + 1;
      const submittedJobId = outcome.job.id;
      const sent = { ...found, tries, scheduleTries, submittedJobId, lastError: "" };
      endDelivery(turn, sent, "DELIVERED");
      return null;
    },
  };
};
