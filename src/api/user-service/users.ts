import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  CreateUserRequest,
  CreateUserResponseSchema,
  GetUserRequest,
  GetUserResponseSchema,
  ListUsersRequest,
  ListUsersResponseSchema,
} from "../../gen/millrace/v1/user_service_pb.ts";
import { ABILITIES, MEMBER_PERMISSIONS, type Permission, ROLES } from "../../jobs/abilities.ts";
import { JobFault } from "../../jobs/errors.ts";
import { isUuidV7, type UserId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { UserRow } from "../../store/store.ts";
import { collectFaults, invalidField } from "../convert/faults.ts";
import {
  abilitiesOf,
  chosenFrom,
  orAlreadyExists,
  properName,
  rolesOf,
  toUser,
} from "../convert/tenant.ts";
import { cutPage, openPage, pageSizeOf } from "../page.ts";
import { lineOf, openScope, type Scope, type TenantCall } from "../scope.ts";

export const NAME_TAKEN = "USER_ALREADY_EXISTS";

/** What the audit log keeps of a user. */
export const detailsOf = ({ name, permissions, disabledAt }: UserRow) => ({
  name,
  abilities: abilitiesOf(permissions),
  roles: rolesOf(permissions),
  disabled: disabledAt !== null,
});

export const userNotFound = (id: string): JobFault =>
  new JobFault("USER_NOT_FOUND", `There is no user ${id}.`, { metadata: { user_id: id } });

/** @throws JobFault INVALID_ARGUMENT */
export const requireUserId = (userId: string): string => {
  if (userId !== "") return userId;
  throw invalidField("user_id", "is missing.");
};

/** A user of the organization. @throws JobFault USER_NOT_FOUND, INVALID_ARGUMENT for an empty id */
export const findUser = async ({ api, place }: Scope, userId: string): Promise<UserRow> => {
  const id = requireUserId(userId);
  const found = isUuidV7(id)
    ? await api.identity.findUser(place.organizationId, id as UserId)
    : null;
  if (found === null) throw userNotFound(id);
  return found;
};

export const createUser = async (
  call: TenantCall,
  request: CreateUserRequest,
): Promise<MessageInitShape<typeof CreateUserResponseSchema>> => {
  const { api } = call;
  const faults = collectFaults();
  const name = properName(faults, "name", request.name, LIMITS.userNameLength);
  const abilities =
    request.abilities === undefined
      ? MEMBER_PERMISSIONS
      : chosenFrom(faults, "abilities", ABILITIES, request.abilities.names);
  const roles = chosenFrom(faults, "roles", ROLES, request.roles?.names ?? []);
  faults.throwIfAny();
  const { place } = await openScope(call, request.organizationId);
  const permissions: readonly Permission[] = [...abilities, ...roles];
  const row: UserRow = {
    id: api.newId() as UserId,
    organizationId: place.organizationId,
    name,
    permissions,
    disabledAt: null,
    createdAt: api.clock.now(),
  };
  const told = { action: "user.create", subject: row.id, details: detailsOf(row) } as const;
  await orAlreadyExists(NAME_TAKEN, async () => {
    await api.identity.insertUser(row, lineOf(call, place, told));
  });
  return { user: toUser(row) };
};

/** Who is no admin knows of nobody but himself. */
const mayLookAt = ({ caller }: TenantCall, userId: string): boolean =>
  caller.kind === "operator" || caller.permissions.has("admin") || caller.userId === userId;

export const getUser = async (
  call: TenantCall,
  request: GetUserRequest,
): Promise<MessageInitShape<typeof GetUserResponseSchema>> => {
  const { caller } = call;
  const scope = await openScope(call, request.organizationId);
  const self = caller.kind === "user" ? caller.userId : "";
  const wanted = requireUserId(request.userId === "" ? self : request.userId);
  if (!mayLookAt(call, wanted)) throw userNotFound(wanted);
  return { user: toUser(await findUser(scope, wanted)) };
};

export const listUsers = async (
  call: TenantCall,
  request: ListUsersRequest,
): Promise<MessageInitShape<typeof ListUsersResponseSchema>> => {
  const { api } = call;
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const { organizationId } = (await openScope(call, request.organizationId)).place;
  const paged = { seal: api.seal, organizationId, list: "users" };
  const after = openPage(paged, request.pageToken) as UserId | null;
  const found = await api.identity.listUsers(organizationId, { after, limit: size + 1 });
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  return { users: rows.map(toUser), nextPageToken };
};
