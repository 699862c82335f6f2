import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";

import {
  type GetDeliveryRequest,
  type GetDeliveryResponseSchema,
  type ListDeliveriesRequest,
  type ListDeliveriesResponseSchema,
  type RedeliverDeliveryRequest,
  type RedeliverDeliveryResponseSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import { maySee } from "../../identity/caller.ts";
import type { DeliveryRow } from "../../jobs/delivery.ts";
import { deliveryNotFound, JobFault } from "../../jobs/errors.ts";
import { type DeliveryId, isUuidV7 } from "../../jobs/ids.ts";
import { redeliver } from "../../shard/commands/delivery.ts";
import { orThrow } from "../../shard/refusals.ts";
import type { DeliveryFilter } from "../../store/store.ts";
import { toDelivery, toTry } from "../convert/delivery.ts";
import { collectFaults, invalidField } from "../convert/faults.ts";
import { checkDeliveryStates } from "../convert/filter.ts";
import { actorOf, findJob, ownerOf } from "../job-service/api.ts";
import { cutPage, openPage, pageSizeOf } from "../page.ts";
import { findHook, type HookCall } from "./api.ts";

const isAdmin = ({ caller }: HookCall): boolean => caller.permissions.has("admin");

/** What one list is of. Hooks are the admins': others see the deliveries of a job's callback. */
const listOf = async (
  call: HookCall,
  { of }: ListDeliveriesRequest,
): Promise<Pick<DeliveryFilter, "of" | "callbacksOnly">> => {
  switch (of.case) {
    case "jobId": {
      const { id: jobId } = await findJob(call, of.value);
      return { of: { jobId }, callbacksOnly: !isAdmin(call) };
    }
    case "hookId": {
      if (!isAdmin(call)) throw new JobFault("PERMISSION_DENIED", "Hooks are the admins'.");
      const { id: hookId } = await findHook(call, of.value);
      return { of: { hookId }, callbacksOnly: false };
    }
    case undefined:
      throw invalidField("of", "is missing: give `job_id` or `hook_id`.");
  }
};

export const listDeliveries = async (
  call: HookCall,
  request: ListDeliveriesRequest,
): Promise<MessageInitShape<typeof ListDeliveriesResponseSchema>> => {
  const { api, place, deliveries } = call;
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  const states = checkDeliveryStates(faults, request.states);
  faults.throwIfAny();
  const filter = { ...(await listOf(call, request)), states };
  const { organizationId } = place;
  const list = `deliveries ${JSON.stringify(filter)}`;
  const paged = { seal: api.seal, organizationId, list };
  const before = openPage(paged, request.pageToken);
  const found = await deliveries.list(place, filter, { before, limit: size + 1 });
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  return { deliveries: rows.map(toDelivery), nextPageToken };
};

/**
 * The delivery, if the caller may see the job of its callback; those of hooks are the admins'.
 * @throws JobFault DELIVERY_NOT_FOUND, in the same words whether it is hidden or absent; INVALID_ARGUMENT for an empty id
 */
const findDelivery = async (call: HookCall, id: string): Promise<DeliveryRow> => {
  if (id === "") throw invalidField("delivery_id", "is missing.");
  const { api, place, caller, deliveries } = call;
  const row = isUuidV7(id) ? await deliveries.find(place, id as DeliveryId) : null;
  if (row === null) throw deliveryNotFound(id);
  if (isAdmin(call)) return row;
  const { hookId, jobId } = row;
  const job = hookId !== "" || jobId === "" ? null : await api.jobs.find(place, jobId);
  if (job === null || !maySee(caller, job)) throw deliveryNotFound(id);
  return row;
};

export const getDelivery = async (
  call: HookCall,
  { deliveryId }: GetDeliveryRequest,
): Promise<MessageInitShape<typeof GetDeliveryResponseSchema>> => {
  const { place, deliveries } = call;
  const row = await findDelivery(call, deliveryId);
  const tries = await deliveries.tries(place, row.id);
  return {
    delivery: toDelivery(row),
    tries: tries.map(toTry),
    payload: JSON.parse(row.body) as JsonObject,
  };
};

export const redeliverDelivery = async (
  call: HookCall,
  { deliveryId }: RedeliverDeliveryRequest,
): Promise<MessageInitShape<typeof RedeliverDeliveryResponseSchema>> => {
  const row = await findDelivery(call, deliveryId);
  // Of a hook that is gone nothing signs any more.
  if (row.hookId !== "") await findHook(call, row.hookId);
  const sent = await ownerOf(call).perform(redeliver(row, actorOf(call)));
  return { delivery: toDelivery(orThrow(sent)) };
};
