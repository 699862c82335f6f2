import type { DeliveryId, OrganizationId } from "../../jobs/ids.ts";
import type { Command } from "./command.ts";
import { wantHooks } from "./hook.ts";

export const HOOK_DELETED = "the hook was deleted";

/** Ends what still waits to be delivered for a hook that was deleted. */
export const dropDeliveries = (
  organizationId: OrganizationId,
  ids: readonly DeliveryId[],
): Command<void> => ({
  weight: ids.length,
  bytes: 0,
  want: (state, wanted) => {
    wantHooks(state, wanted, organizationId);
    for (const id of ids) wanted.deliveries.push({ organizationId, id });
  },
  apply: (turn) => {
    const retentionMs = turn.state.organization(organizationId)?.limits.retentionMs ?? 0;
    for (const id of ids) {
      const row = turn.notices.delivery({ organizationId, id });
      if (row?.state !== "PENDING") continue;
      turn.notices.put({
        ...row,
        state: "FAILED",
        nextTryAt: null,
        endedAt: turn.now,
        lastError: HOOK_DELETED,
        purgeAt: turn.now + retentionMs,
      });
    }
  },
});
