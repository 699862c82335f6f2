import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  RevokeTokenRequest,
  RevokeTokenResponseSchema,
} from "../../gen/millrace/v1/token_service_pb.ts";
import { maySee } from "../../identity/caller.ts";
import { parseJobTokenId } from "../../identity/job-token.ts";
import { tokenNotFound } from "../../jobs/errors.ts";
import { revokeJobToken } from "../../shard/commands/revoke-job-token.ts";
import { orThrow } from "../../shard/refusals.ts";
import type { TokenRow } from "../../store/store.ts";
import { EVERYWHERE } from "../page.ts";
import { note, openScope, ownerOf, placeOf, type TenantCall } from "../scope.ts";
import type { TokenApi } from "./api.ts";

type Answer = MessageInitShape<typeof RevokeTokenResponseSchema>;

/** MySQL compares the column with nothing else. */
const ID = /^[0-9A-Za-z]{1,64}$/;

/** Every token may end itself. */
const isTheirs = ({ caller }: TenantCall, row: TokenRow): boolean => {
  if (caller.kind === "operator" || row.id === caller.tokenId) return true;
  if (row.organizationId !== caller.organizationId) return false;
  return caller.permissions.has("admin") || (row.userId !== "" && row.userId === caller.userId);
};

const revokeStored = async (call: TenantCall, api: TokenApi, id: string): Promise<Answer> => {
  const row = ID.test(id) ? await api.identity.findToken(id) : null;
  if (row === null || !isTheirs(call, row)) throw tokenNotFound(id);
  const revoked = await api.identity.revokeToken(id, api.clock.now());
  api.tokenRevoked(id);
  if (revoked) {
    const place = placeOf(api, row.organizationId === "" ? EVERYWHERE : row.organizationId);
    await note(call, place, { action: "token.revoke", subject: id, details: null });
  }
  return { revoked };
};

/** Whoever may see a job may take its token away; an operator, who sees no jobs, of every one. */
export const revokeToken = async (
  call: TenantCall,
  api: TokenApi,
  { tokenId, organizationId }: RevokeTokenRequest,
): Promise<Answer> => {
  const own = parseJobTokenId(tokenId);
  if (own === null) return await revokeStored(call, api, tokenId);
  const scope = await openScope(call, organizationId);
  const row = await api.jobs.find(scope.place, own.jobId);
  const isSeen = row !== null && (call.caller.kind === "operator" || maySee(call.caller, row));
  if (!isSeen) throw tokenNotFound(tokenId);
  const command = revokeJobToken(scope.place.organizationId, own, call.by);
  const revoked = orThrow(await ownerOf(scope).perform(command));
  api.tokenRevoked(tokenId);
  return { revoked };
};
