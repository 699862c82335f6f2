import type { HandlerContext } from "@connectrpc/connect";

import { hookNotFound } from "../../jobs/errors.ts";
import type { HookRow } from "../../jobs/hook.ts";
import { type HookId, isUuidV7 } from "../../jobs/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { DeliveryStore, HookStore } from "../../store/store.ts";
import { invalidField } from "../convert/faults.ts";
import { type Call, type JobApi, openCall } from "../job-service/api.ts";

/** What the handlers of HookService work with. */
export type HookApi = {
  readonly jobs: JobApi;
  readonly hooks: HookStore;
  readonly deliveries: DeliveryStore;
  readonly random: Random;
};

export type HookCall = Call & Pick<HookApi, "hooks" | "deliveries" | "random">;

export const openHookCall = (
  { jobs, hooks, deliveries, random }: HookApi,
  context: HandlerContext,
): HookCall => ({ ...openCall(jobs, context), hooks, deliveries, random });

/** A hook of the caller's organization. @throws JobFault HOOK_NOT_FOUND; INVALID_ARGUMENT for an empty id */
export const findHook = async ({ hooks, place }: HookCall, id: string): Promise<HookRow> => {
  const row = await hooks.find(place, checkedHookId(id));
  if (row === null) throw hookNotFound(id);
  return row;
};

/** What is no id is no hook's either. @throws JobFault HOOK_NOT_FOUND; INVALID_ARGUMENT for an empty id */
export const checkedHookId = (id: string): HookId => {
  if (id === "") throw invalidField("hook_id", "is missing.");
  if (!isUuidV7(id)) throw hookNotFound(id);
  return id as HookId;
};
