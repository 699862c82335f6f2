import type { DeliveryRow } from "../../jobs/delivery.ts";
import type { Command } from "./command.ts";
import { wantDelivery, writeTry } from "./delivery.ts";

/**
 * One try of each, without a request: its receiver answered nobody when it was due. What is not due any
 * more, because somebody else was faster, is left as it is.
 * @param error why, in one sentence
 */
export const passOver = (deliveries: readonly DeliveryRow[], error: string): Command<void> => ({
  weight: deliveries.length * 3,
  bytes: 0,
  want: (state, wanted) => {
    for (const delivery of deliveries) wantDelivery(state, wanted, delivery);
  },
  apply: (turn) => {
    for (const delivery of deliveries) {
      const found = turn.notices.delivery(delivery);
      if (found === null || found.nextTryAt === null || found.nextTryAt > turn.now) continue;
      writeTry(turn, found, {
        ...{ startedAt: turn.now, durationMs: 0, status: 0, error },
        ...{ verdict: "failed", notBefore: null },
      });
    }
  },
});
