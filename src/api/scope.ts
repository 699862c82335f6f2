import type { HandlerContext } from "@connectrpc/connect";

import type { OperatorCaller, UserCaller } from "../identity/caller.ts";
import type { Actor, AuditAction } from "../jobs/audit.ts";
import { JobFault } from "../jobs/errors.ts";
import { isUuidV7, type OrganizationId, type UserId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ShardOwner, ShardRouter } from "../shard/owner.ts";
import type { AuditLine, IdentityStore, OrganizationRow, Place } from "../store/store.ts";
import { addressKey, callerKey } from "./caller-context.ts";
import { invalidField } from "./convert/faults.ts";
import type { Seal } from "./sealed-token.ts";

/** What the handlers of OrganizationService and UserService work with. */
export type TenantApi = {
  readonly router: ShardRouter;
  readonly identity: IdentityStore;
  readonly clock: Clock;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  readonly seal: Seal;
  /** After a change of a user or of his attributes: it counts at once on this server. */
  readonly userChanged: (organizationId: OrganizationId, userId: UserId) => void;
};

/** Who calls a method that users and operators may call. */
export type TenantCall = {
  readonly api: TenantApi;
  readonly caller: UserCaller | OperatorCaller;
  /** As the audit log keeps the caller. */
  readonly by: Actor;
};

/** One call about one organization that is known to exist. */
export type Scope = TenantCall & { readonly place: Place; readonly organization: OrganizationRow };

export const openTenantCall = (api: TenantApi, context: HandlerContext): TenantCall => {
  const caller = context.values.get(callerKey);
  if (caller === null || caller.kind === "runner") {
    throw new JobFault("PERMISSION_DENIED", "Only users and operators may do this.");
  }
  const userId = caller.kind === "user" ? caller.userId : "";
  const by = { userId, tokenId: caller.tokenId, address: context.values.get(addressKey) };
  return { api, caller, by };
};

export const placeOf = ({ router }: TenantApi, organizationId: OrganizationId): Place => ({
  shardId: router.shardOf(organizationId),
  organizationId,
});

const organizationNotFound = (id: string): JobFault =>
  new JobFault("ORGANIZATION_NOT_FOUND", `There is no organization ${id}.`, {
    metadata: { organization_id: id },
  });

/**
 * The organization that a call is about: a user's own, also if he names none; whichever an operator
 * names. Of another one a user hears what he would hear if it were not there.
 * @throws JobFault ORGANIZATION_NOT_FOUND; INVALID_ARGUMENT for an operator who names none
 */
export const openScope = async (call: TenantCall, organizationId: string): Promise<Scope> => {
  const { api, caller } = call;
  const own = caller.kind === "user" ? caller.organizationId : null;
  const wanted = organizationId === "" ? own : organizationId;
  if (wanted === null) {
    throw invalidField("organization_id", "is missing: an operator has to name it.");
  }
  const visible = own === null ? isUuidV7(wanted) : wanted === own;
  const id = wanted as OrganizationId;
  const organization = visible ? await api.identity.findOrganization(id) : null;
  if (organization === null) throw organizationNotFound(wanted);
  return { ...call, place: placeOf(api, id), organization };
};

/** @throws JobFault SHARD_UNAVAILABLE */
export const ownerOf = ({ api, place }: Scope): ShardOwner =>
  api.router.ownerOf(place.organizationId);

type Told = {
  readonly action: AuditAction;
  readonly subject: string;
  readonly details: object | null;
};

/** The line that the audit log keeps of a change that this call makes. */
export const lineOf = (
  { api, by }: TenantCall,
  { shardId, organizationId }: Place,
  { action, subject, details }: Told,
): AuditLine => ({
  shardId,
  row: {
    organizationId,
    id: api.newId(),
    at: api.clock.now(),
    actor: by,
    action,
    subject,
    details: details === null ? null : JSON.stringify(details),
  },
});

/**
 * Writes the line of a change of a token. After the change, in another transaction: a crash between
 * the two leaves a change without its line, never a line without its change. (Organizations and
 * users are changed together with their lines, and so is all that a shard's owner changes.)
 */
export const note = async (call: TenantCall, place: Place, told: Told): Promise<void> => {
  const { shardId, row } = lineOf(call, place, told);
  await call.api.identity.insertAudit(shardId, row);
};
