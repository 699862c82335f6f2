import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import {
  type ListUserAttributesRequest,
  type ListUserAttributesResponseSchema,
  type RemoveUserAttributeRequest,
  type RemoveUserAttributeResponseSchema,
  type SetUserAttributeRequest,
  type SetUserAttributeResponseSchema,
  UserAttributeKind,
  UserAttributeKindSchema,
  type UserAttributeSchema,
} from "../../gen/millrace/v1/user_service_pb.ts";
import {
  type AttributeKind,
  type AttributeRow,
  DEFERRED_ACTION,
  RELEASE_JOB,
} from "../../jobs/attribute.ts";
import { isUuidV7 } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { removeAttribute, setAttribute } from "../../shard/commands/attributes.ts";
import { orThrow } from "../../shard/refusals.ts";
import type { AttributeWanted } from "../../store/store.ts";
import { collectFaults, type Faults, invalidField } from "../convert/faults.ts";
import { isKnown, text } from "../convert/fields.ts";
import { openScope, ownerOf, type Scope, type TenantCall } from "../scope.ts";
import { findUser } from "./users.ts";

const NAME = new RegExp(`^[a-z0-9._-]{1,${LIMITS.attributeNameLength}}$`);

const checkName = (faults: Faults, name: string): void => {
  if (NAME.test(name)) return;
  const most = LIMITS.attributeNameLength;
  faults.add("name", `must have 1 to ${most} characters of a-z 0-9 . _ -`);
};

/** The two names that have a meaning here take nothing else for their value. */
const checkValue = (faults: Faults, name: string, value: string): void => {
  text(faults, "value", value, LIMITS.attributeValueLength);
  if (name === DEFERRED_ACTION && value !== "true" && value !== "false") {
    faults.add("value", `of ${DEFERRED_ACTION} must be true or false.`);
  }
  if (name === RELEASE_JOB && !isUuidV7(value)) {
    faults.add("value", `of ${RELEASE_JOB} must be the id of a job: a UUIDv7 in lower case.`);
  }
};

const kindOf = (faults: Faults, name: string, kind: UserAttributeKind): AttributeKind => {
  if (!isKnown(UserAttributeKindSchema, kind)) {
    faults.add("kind", `must be STATIC or DYNAMIC; it is ${kind}.`);
  }
  if (name === DEFERRED_ACTION) return "STATIC";
  if (name === RELEASE_JOB) return "DYNAMIC";
  return kind === UserAttributeKind.DYNAMIC ? "DYNAMIC" : "STATIC";
};

const toAttribute = (row: AttributeRow): MessageInitShape<typeof UserAttributeSchema> => ({
  name: row.name,
  value: row.value,
  kind: UserAttributeKind[row.kind],
  createTime: timestampFromMs(row.createdAt),
});

/**
 * Whether a user's actions are deferred is remembered by every server for a few seconds. A crash
 * between the commit and this leaves the others with what they knew until that time is over.
 */
const tellOfDeferral = async ({ api }: Scope, attribute: AttributeWanted): Promise<void> => {
  if (attribute.name !== DEFERRED_ACTION) return;
  const { organizationId, userId } = attribute;
  await api.identity.touchUser(organizationId, userId);
  api.userChanged(organizationId, userId);
};

export const listUserAttributes = async (
  call: TenantCall,
  request: ListUserAttributesRequest,
): Promise<MessageInitShape<typeof ListUserAttributesResponseSchema>> => {
  const scope = await openScope(call, request.organizationId);
  const { id } = await findUser(scope, request.userId);
  const rows = await call.api.identity.attributes(scope.place, id);
  return { attributes: rows.map(toAttribute) };
};

export const setUserAttribute = async (
  call: TenantCall,
  { organizationId, userId, name, value, kind: wanted }: SetUserAttributeRequest,
): Promise<MessageInitShape<typeof SetUserAttributeResponseSchema>> => {
  const faults = collectFaults();
  checkName(faults, name);
  checkValue(faults, name, value);
  const kind = kindOf(faults, name, wanted);
  faults.throwIfAny();
  const scope = await openScope(call, organizationId);
  const { id, disabledAt } = await findUser(scope, userId);
  if (name === RELEASE_JOB && disabledAt !== null) {
    throw invalidField(
      "user_id",
      "must be a user who is not disabled: nothing is released for him.",
    );
  }
  const attribute = { organizationId: scope.place.organizationId, userId: id, name, value };
  const { released } = orThrow(
    await ownerOf(scope).perform(setAttribute({ ...attribute, kind }, call.by)),
  );
  await tellOfDeferral(scope, attribute);
  return { releasedJobId: released?.id ?? "" };
};

export const removeUserAttribute = async (
  call: TenantCall,
  { organizationId, userId, name, value }: RemoveUserAttributeRequest,
): Promise<MessageInitShape<typeof RemoveUserAttributeResponseSchema>> => {
  const faults = collectFaults();
  checkName(faults, name);
  text(faults, "value", value, LIMITS.attributeValueLength);
  faults.throwIfAny();
  const scope = await openScope(call, organizationId);
  const { id } = await findUser(scope, userId);
  const attribute = { organizationId: scope.place.organizationId, userId: id, name, value };
  const removed = await ownerOf(scope).perform(removeAttribute(attribute, call.by));
  await tellOfDeferral(scope, attribute);
  return { removed };
};
