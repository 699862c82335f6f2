import type { DeliveryRow } from "../../jobs/delivery.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import type { Command } from "./command.ts";
import { endDelivery, wantDelivery } from "./delivery.ts";

export const HOOK_DELETED = "the hook was deleted";

export type Owed = Pick<DeliveryRow, "id" | "jobId">;

/** Ends what still waits to be delivered for a hook that was deleted. */
export const dropDeliveries = (
  organizationId: OrganizationId,
  owed: readonly Owed[],
): Command<void> => ({
  weight: owed.length,
  bytes: 0,
  want: (state, wanted) => {
    for (const one of owed) wantDelivery(state, wanted, { organizationId, ...one });
  },
  apply: (turn) => {
    for (const { id } of owed) {
      const row = turn.notices.delivery({ organizationId, id });
      if (row?.state !== "PENDING") continue;
      endDelivery(turn, { ...row, lastError: HOOK_DELETED }, "FAILED");
    }
  },
});
