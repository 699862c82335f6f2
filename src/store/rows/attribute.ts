import type { AttributeRow } from "../../jobs/attribute.ts";
import type { OrganizationId, UserId } from "../../jobs/ids.ts";
import type { DatabaseRow } from "../engine.ts";
import { ATTRIBUTE_KINDS } from "./codes.ts";
import { binding, type Column, numberOf, textOf } from "./column.ts";

const KEY: readonly Column<AttributeRow>[] = [
  ["organization_id", (attribute) => attribute.organizationId],
  ["user_id", (attribute) => attribute.userId],
  ["name", (attribute) => attribute.name],
  ["value", (attribute) => attribute.value],
];

export const INSERT_ATTRIBUTE = binding<AttributeRow>("user_attributes", "insert-missing", KEY, [
  ["kind", (attribute) => ATTRIBUTE_KINDS.numbers[attribute.kind]],
  ["created_at", (attribute) => attribute.createdAt],
]);

export const DELETE_ATTRIBUTE = binding<AttributeRow>("user_attributes", "delete", KEY, []);

/** All but `value`. */
export const ATTRIBUTE_COLUMNS = ["organization_id", "user_id", "name", "kind", "created_at"];

/** `value` is a `key` column: select it with `textOfBytes`. */
export const attributeOf = (row: DatabaseRow): AttributeRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  userId: textOf(row, "user_id") as UserId,
  name: textOf(row, "name"),
  value: textOf(row, "value"),
  kind: ATTRIBUTE_KINDS.nameOf(numberOf(row, "kind")),
  createdAt: numberOf(row, "created_at"),
});
