import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import {
  type IntrospectTokenResponseSchema,
  TokenKind,
} from "../../gen/millrace/v1/token_service_pb.ts";
import type { Presented } from "../../identity/caller.ts";
import { abilitiesOf, rolesOf } from "../convert/tenant.ts";
import { WIRE_KINDS } from "../convert/token.ts";
import type { TenantCall } from "../scope.ts";
import type { TokenApi } from "./api.ts";

type Answer = MessageInitShape<typeof IntrospectTokenResponseSchema>;

/** A user asks about tokens of his organization, a job about its own, an operator about all. */
const mayKnow = ({ caller }: TenantCall, presented: Presented): boolean => {
  if (caller.kind === "operator") return true;
  if (caller.attempt !== null) return presented.caller.tokenId === caller.tokenId;
  return (
    presented.caller.kind === "user" && presented.caller.organizationId === caller.organizationId
  );
};

const answerOf = ({ caller, expiresAt, creatorId }: Presented): Answer => {
  const expiry = expiresAt === null ? {} : { expireTime: timestampFromMs(expiresAt) };
  const known = { active: true, tokenId: caller.tokenId, ...expiry };
  if (caller.kind !== "user") return { ...known, kind: WIRE_KINDS[caller.kind] };
  const permissions = [...caller.permissions];
  const { organizationId, userId, attempt } = caller;
  return {
    ...known,
    kind: attempt === null ? TokenKind.USER : TokenKind.JOB,
    organizationId,
    userId,
    abilities: abilitiesOf(permissions),
    roles: rolesOf(permissions),
    ...(attempt === null ? {} : { ...attempt, creatorId }),
  };
};

/** What a token is good for now; nothing but that it is not, for whatever the caller may not know. */
export const introspectToken = async (
  call: TenantCall,
  { authenticator }: TokenApi,
  text: string,
): Promise<Answer> => {
  const presented = await authenticator.inspect(text);
  return presented !== null && mayKnow(call, presented) ? answerOf(presented) : { active: false };
};
