import type { DeliveryRow } from "../jobs/delivery.ts";
import type { Clock } from "../runtime/clock.ts";
import type { DeliveryStore, Receiver } from "../store/store.ts";
import type { Line } from "./line.ts";

/** What is due waits for so long that its receiver answers somebody else. */
const PATIENCE_MS = 60_000;
/** Of one commit, between which others have their turn. */
const BATCH = 100;
/** After one silence; the next one goes on. */
const MOST_BATCHES = 50;

export type OverdueOptions = {
  readonly store: Pick<DeliveryStore, "waiting">;
  readonly passOver: (receiver: Receiver, deliveries: readonly DeliveryRow[]) => Promise<void>;
  readonly clock: Pick<Clock, "now">;
  readonly isStopped: () => boolean;
};

/**
 * For a receiver that has just not answered: its silence counts for all that has been due there for
 * a minute. So what waits for a dead one keeps to its schedule, however much it is, and costs no
 * request each.
 */
export const createOverdue =
  ({ store, passOver, clock, isStopped }: OverdueOptions) =>
  async ({ shardId, receiver, sending }: Line): Promise<void> => {
    for (let batch = 0; batch < MOST_BATCHES && !isStopped(); batch += 1) {
      const found = await store.waiting(shardId, receiver, [...sending], BATCH);
      const until = clock.now() - PATIENCE_MS;
      const due = found.filter(({ nextTryAt }) => nextTryAt !== null && nextTryAt <= until);
      if (due.length > 0) await passOver(receiver, due);
      if (due.length < BATCH) return;
    }
  };
