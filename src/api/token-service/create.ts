import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  CreateTokenRequest,
  CreateTokenResponseSchema,
} from "../../gen/millrace/v1/token_service_pb.ts";
import { unauthenticated } from "../../identity/authenticator.ts";
import type { UserCaller } from "../../identity/caller.ts";
import { createToken as makeToken, type TokenSubject } from "../../identity/create-token.ts";
import { ABILITIES, impliedBy, type Permission, PERMISSIONS } from "../../jobs/abilities.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { Millis } from "../../jobs/job.ts";
import { collectFaults, invalidField } from "../convert/faults.ts";
import { abilitiesOf, rolesOf } from "../convert/tenant.ts";
import { toToken } from "../convert/token.ts";
import { EVERYWHERE } from "../page.ts";
import { note, openScope, placeOf, type TenantCall } from "../scope.ts";
import { findUser } from "../user-service/users.ts";
import type { TokenApi } from "./api.ts";
import { checkWanted, type WantedToken } from "./wanted.ts";

const denied = (message: string, needs: string): JobFault =>
  new JobFault("PERMISSION_DENIED", message, { metadata: { needs } });

/** Nothing of others is looked at for who may make no tokens for them. @throws JobFault PERMISSION_DENIED */
const requireRight = (
  { caller }: TenantCall,
  { kind }: WantedToken,
  { userId, forOrganization }: CreateTokenRequest,
): void => {
  if (caller.kind === "operator") return;
  if (kind !== "user") throw denied(`A ${kind}'s token needs an operator's token.`, "operator");
  const isForHimself = !forOrganization && (userId === "" || userId === caller.userId);
  if (isForHimself || caller.permissions.has("admin")) return;
  throw denied("A token for somebody else needs admin, which your token does not carry.", "admin");
};

type For = { readonly subject: TokenSubject; readonly may: ReadonlySet<Permission> };

/** For whom, and what the token can carry at most: what he may, and what the caller may. */
const subjectOf = async (
  call: TenantCall,
  { kind }: WantedToken,
  request: CreateTokenRequest,
): Promise<For> => {
  if (kind !== "user") return { subject: { kind }, may: new Set() };
  const { caller } = call;
  const scope = await openScope(call, request.organizationId);
  const { organizationId } = scope.place;
  const bound = caller.kind === "user" ? caller.permissions : new Set(PERMISSIONS);
  if (request.forOrganization) {
    return { subject: { kind, organizationId, userId: "" }, may: bound };
  }
  const self = caller.kind === "user" ? caller.userId : "";
  const user = await findUser(scope, request.userId === "" ? self : request.userId);
  if (user.disabledAt !== null)
    throw invalidField("user_id", "must be a user who is not disabled.");
  const may = impliedBy(user.permissions).intersection(bound);
  return { subject: { kind, organizationId, userId: user.id }, may };
};

/** @throws JobFault INVALID_ARGUMENT for whatever the token cannot carry */
const requireCarried = (
  permissions: readonly Permission[],
  { abilities, roles }: CreateTokenRequest,
  may: ReadonlySet<Permission>,
): void => {
  const faults = collectFaults();
  for (const permission of permissions) {
    if (may.has(permission)) continue;
    const isAbility = (ABILITIES as readonly string[]).includes(permission);
    const [field, given] = isAbility ? ["abilities", abilities] : ["roles", roles];
    const path = `${field}.names[${given?.names.indexOf(permission)}]`;
    faults.add(path, `is ${permission}, which the user or your own token does not have.`);
  }
  faults.throwIfAny();
};

/**
 * "All that its user may" is more than a limited token may hand on: what it makes is limited like
 * itself. A token of an outside issuer counts as limited.
 */
const unlessLimited = async (
  api: TokenApi,
  caller: UserCaller,
): Promise<readonly Permission[] | null> => {
  if (caller.permissions.has("admin")) return null;
  const own = await api.identity.findToken(caller.tokenId);
  return own !== null && own.permissions === null ? null : [...caller.permissions];
};

/**
 * When it expires. A token that expires makes none that outlives it: who found one has it for no
 * longer than its owner meant. An admin is not held back, for he can make users as well.
 * @throws JobFault INVALID_ARGUMENT for a longer life, UNAUTHENTICATED if the caller's own is over
 */
const expiryOf = async (
  { caller }: TenantCall,
  { authenticator, clock }: TokenApi,
  { expiresInMs }: WantedToken,
  bearer: string,
): Promise<Millis | null> => {
  const wanted = expiresInMs === null ? null : clock.now() + expiresInMs;
  if (caller.kind === "operator" || caller.permissions.has("admin")) return wanted;
  const presented = await authenticator.inspect(bearer);
  if (presented === null) throw unauthenticated();
  const latest = presented.expiresAt;
  if (latest === null || wanted === null) return wanted ?? latest;
  if (wanted <= latest) return wanted;
  throw invalidField("expires_in", "must not go beyond your own token, which expires before.");
};

/** @param bearer the text of the caller's own token */
export const createToken = async (
  call: TenantCall,
  api: TokenApi,
  request: CreateTokenRequest,
  bearer: string,
): Promise<MessageInitShape<typeof CreateTokenResponseSchema>> => {
  const { caller, by } = call;
  const wanted = checkWanted(request);
  requireRight(call, wanted, request);
  const { subject, may } = await subjectOf(call, wanted, request);
  requireCarried(wanted.permissions ?? [], request, may);
  const inherits = wanted.kind === "user" && wanted.permissions === null && caller.kind === "user";
  const permissions = inherits ? await unlessLimited(api, caller) : wanted.permissions;
  const expires = await expiryOf(call, api, wanted, bearer);
  const { clock, random, identity } = api;
  const { text, row } = await makeToken(
    { identity, clock, random },
    {
      ...subject,
      name: wanted.name,
      permissions,
      createdBy: by.userId,
      expiresAt: expires,
    },
  );
  const place = placeOf(api, row.organizationId === "" ? EVERYWHERE : row.organizationId);
  const { kind, userId, expiresAt } = row;
  const limits =
    permissions === null
      ? {}
      : { abilities: abilitiesOf(permissions), roles: rolesOf(permissions) };
  const details = { kind, userId, ...limits, expiresAt };
  await note(call, place, { action: "token.create", subject: row.id, details });
  return { secret: text, token: toToken(row) };
};
