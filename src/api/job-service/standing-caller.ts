import type { UserCaller } from "../../identity/caller.ts";
import type { KnownUsers } from "../../identity/known-users.ts";
import { permittedTo } from "../../jobs/abilities.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { OrganizationId, UserId } from "../../jobs/ids.ts";
import type { UserRow } from "../../store/store.ts";

const denied = (message: string): JobFault => new JobFault("PERMISSION_DENIED", message);

/** `who` stands in the message: `who made it`. @throws JobFault PERMISSION_DENIED */
export const activeUser = async (
  users: KnownUsers,
  organizationId: OrganizationId,
  id: UserId,
  who: string,
): Promise<UserRow> => {
  const known = await users.find(organizationId, id);
  if (known === null) throw denied(`The user ${who}, ${id}, is no more.`);
  if (known.row.disabledAt !== null) throw denied(`The user ${who}, ${id}, is disabled.`);
  return known.row;
};

/**
 * Whoever made something that submits jobs by itself, as one who submits now: by what his user may do,
 * whatever token he had. @throws JobFault PERMISSION_DENIED
 */
export const standingCaller = async (
  users: KnownUsers,
  organizationId: OrganizationId,
  creatorId: UserId | "",
): Promise<UserCaller> => {
  const caller = (permissions: UserCaller["permissions"]): UserCaller => ({
    kind: "user",
    organizationId,
    userId: creatorId,
    permissions,
    tokenId: "",
    attempt: null,
  });
  // Made by a token of the organization itself: what it was allowed then holds.
  if (creatorId === "") return caller(new Set(["jobs:create", "jobs:run-as"]));
  const user = await activeUser(users, organizationId, creatorId, "who made it");
  const permissions = permittedTo(user.permissions, null);
  if (permissions.has("jobs:create")) return caller(permissions);
  throw denied(`The user who made it, ${creatorId}, has no jobs:create any more.`);
};
