import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  ListTokensRequest,
  ListTokensResponseSchema,
} from "../../gen/millrace/v1/token_service_pb.ts";
import { isUuidV7, type OrganizationId, type UserId } from "../../jobs/ids.ts";
import { collectFaults } from "../convert/faults.ts";
import { toToken } from "../convert/token.ts";
import { cutPage, EVERYWHERE, openPage, pageSizeOf } from "../page.ts";
import { openScope, type TenantCall } from "../scope.ts";

type Answer = MessageInitShape<typeof ListTokensResponseSchema>;

/** Whose tokens are listed; a user of null is everybody. Null: nothing that the caller may see. */
type Owner = { readonly organizationId: OrganizationId; readonly userId: UserId | null } | null;

const ownerOf = async (call: TenantCall, request: ListTokensRequest): Promise<Owner> => {
  const { caller } = call;
  // Runners' and operators' tokens are of no organization.
  if (caller.kind === "operator" && request.organizationId === "" && request.userId === "") {
    return { organizationId: EVERYWHERE, userId: null };
  }
  const { organizationId } = (await openScope(call, request.organizationId)).place;
  const asked = request.userId;
  const seesAll = caller.kind === "operator" || caller.permissions.has("admin");
  if (seesAll && asked === "") return { organizationId, userId: null };
  const userId = seesAll || asked !== "" ? asked : caller.userId;
  if (!isUuidV7(userId) || (!seesAll && userId !== caller.userId)) return null;
  return { organizationId, userId: userId as UserId };
};

export const listTokens = async (call: TenantCall, request: ListTokensRequest): Promise<Answer> => {
  const { api } = call;
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const owner = await ownerOf(call, request);
  if (owner === null) return {};
  const { organizationId, userId } = owner;
  const paged = { seal: api.seal, organizationId, list: `tokens ${userId ?? ""}` };
  const after = openPage(paged, request.pageToken);
  const limit = size + 1;
  const found = await api.identity.listTokens(organizationId, userId, { after, limit });
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  return { tokens: rows.map(toToken), nextPageToken };
};
