import type { DeleteHookRequest } from "../../gen/millrace/v1/hook_service_pb.ts";
import type { DeliveryId } from "../../jobs/ids.ts";
import { dropDeliveries } from "../../shard/commands/drop-deliveries.ts";
import { deleteHook as deleteCommand } from "../../shard/commands/hook.ts";
import { orThrow } from "../../shard/refusals.ts";
import { actorOf, ownerOf } from "../job-service/api.ts";
import { checkedHookId, type HookCall } from "./api.ts";

/** Deliveries of one commit. */
const BATCH = 500;

/**
 * The hook goes first: from then on nothing more is owed for it. What was owed before is ended in
 * batches; what a crash leaves of it is ended when its turn to be tried comes.
 */
export const deleteHook = async (
  call: HookCall,
  { hookId }: DeleteHookRequest,
): Promise<Record<string, never>> => {
  const { place, hooks } = call;
  const id = checkedHookId(hookId);
  const { organizationId } = place;
  orThrow(await ownerOf(call).perform(deleteCommand({ organizationId, id }, actorOf(call))));
  let after: DeliveryId | null = null;
  for (;;) {
    const found = await hooks.pending(place, id, { after, limit: BATCH });
    after = found.at(-1)?.id ?? null;
    if (after === null) return {};
    await ownerOf(call).perform(dropDeliveries(organizationId, found));
  }
};
