import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  GetHookRequest,
  GetHookResponseSchema,
  ListHooksRequest,
  ListHooksResponseSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import { collectFaults } from "../convert/faults.ts";
import { toHook } from "../convert/hook.ts";
import { cutPage, openPage, pageSizeOf } from "../page.ts";
import { findHook, type HookCall } from "./api.ts";

export const getHook = async (
  call: HookCall,
  { hookId }: GetHookRequest,
): Promise<MessageInitShape<typeof GetHookResponseSchema>> => ({
  hook: toHook(await findHook(call, hookId)),
});

export const listHooks = async (
  { api, place, hooks }: HookCall,
  request: ListHooksRequest,
): Promise<MessageInitShape<typeof ListHooksResponseSchema>> => {
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const paged = { seal: api.seal, organizationId: place.organizationId, list: "hooks" };
  const after = openPage(paged, request.pageToken);
  const found = await hooks.list(place, { after, limit: size + 1 });
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  return { hooks: rows.map(toHook), nextPageToken };
};
