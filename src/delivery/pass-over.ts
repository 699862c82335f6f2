import type { DeliveryRow } from "../jobs/delivery.ts";
import { passOver } from "../shard/commands/pass-over.ts";
import type { ShardRouter } from "../shard/owner.ts";
import type { Receiver } from "../store/store.ts";

/** Has each of them counted as tried: their receiver did not answer another one. */
export const createPassOver =
  (router: ShardRouter) =>
  async (
    { origin, organizationId }: Receiver,
    deliveries: readonly DeliveryRow[],
  ): Promise<void> => {
    const error = `Not sent: ${origin} did not answer, and this waited for a minute.`;
    await router.ownerOf(organizationId).perform(passOver(deliveries, error));
  };
