import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  UpdateUserRequest,
  UpdateUserResponseSchema,
} from "../../gen/millrace/v1/user_service_pb.ts";
import { ABILITIES, type Permission, ROLES } from "../../jobs/abilities.ts";
import { JobFault } from "../../jobs/errors.ts";
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
import { lineOf, openScope, type TenantCall } from "../scope.ts";
import { detailsOf, findUser, NAME_TAKEN, userNotFound } from "./users.ts";

/** What a request changes; null stays. */
type Change = {
  readonly name: string | null;
  readonly abilities: readonly Permission[] | null;
  readonly roles: readonly Permission[] | null;
  readonly disabled: boolean | null;
};

/** @throws JobFault INVALID_ARGUMENT */
const check = ({ name, abilities, roles, disabled }: UpdateUserRequest): Change => {
  const faults = collectFaults();
  if (name !== "") properName(faults, "name", name, LIMITS.userNameLength);
  const change: Change = {
    name: name === "" ? null : name,
    abilities:
      abilities === undefined ? null : chosenFrom(faults, "abilities", ABILITIES, abilities.names),
    roles: roles === undefined ? null : chosenFrom(faults, "roles", ROLES, roles.names),
    disabled: disabled ?? null,
  };
  faults.throwIfAny();
  return change;
};

const applied = (user: UserRow, change: Change, now: number): UserRow => ({
  ...user,
  name: change.name ?? user.name,
  permissions: [
    ...(change.abilities ?? abilitiesOf(user.permissions)),
    ...(change.roles ?? rolesOf(user.permissions)),
  ],
  disabledAt:
    change.disabled === null ? user.disabledAt : change.disabled ? (user.disabledAt ?? now) : null,
});

const isActingAdmin = ({ permissions, disabledAt }: UserRow): boolean =>
  permissions.includes("admin") && disabledAt === null;

const lastAdmin = ({ id }: UserRow): JobFault =>
  new JobFault(
    "LAST_ADMIN",
    "This would leave the organization without an admin. Make another one first.",
    { metadata: { user_id: id } },
  );

export const updateUser = async (
  call: TenantCall,
  request: UpdateUserRequest,
): Promise<MessageInitShape<typeof UpdateUserResponseSchema>> => {
  const { api, caller } = call;
  const change = check(request);
  const scope = await openScope(call, request.organizationId);
  const { id } = await findUser(scope, request.userId);
  if (caller.kind === "user" && caller.userId === id && change.disabled === true) {
    throw invalidField("disabled", "would shut out the caller himself: another admin may do that.");
  }
  const now = api.clock.now();
  const { organizationId } = scope.place;
  const row = await orAlreadyExists(
    NAME_TAKEN,
    async () =>
      await api.identity.updateUser(
        organizationId,
        id,
        (before, others) => {
          const after = applied(before, change, now);
          const gone = isActingAdmin(before) && !isActingAdmin(after) && !others.haveAdmin;
          if (gone && caller.kind === "user") throw lastAdmin(before);
          return after;
        },
        (after) => {
          const told = { action: "user.update", subject: id, details: detailsOf(after) } as const;
          return lineOf(call, scope.place, told);
        },
      ),
  );
  if (row === null) throw userNotFound(id);
  api.userChanged(organizationId, id);
  return { user: toUser(row) };
};
