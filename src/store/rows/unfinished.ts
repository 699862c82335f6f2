import type { OrganizationId } from "../../jobs/ids.ts";
import type { UnfinishedRow } from "../../jobs/unfinished.ts";
import type { DatabaseRow } from "../engine.ts";
import { UNFINISHED_KINDS } from "./codes.ts";
import { binding, type Column, numberOf, textOf } from "./column.ts";

export type UnfinishedKey = Pick<UnfinishedRow, "organizationId" | "kind" | "id">;

const KEY: readonly Column<UnfinishedKey>[] = [
  ["kind", (row) => UNFINISHED_KINDS.numbers[row.kind]],
  ["organization_id", (row) => row.organizationId],
  ["id", (row) => row.id],
];

export const INSERT_UNFINISHED = binding<UnfinishedRow>("unfinished", "insert", KEY, [
  ["body", (row) => row.body],
]);

export const DELETE_UNFINISHED = binding("unfinished", "delete", KEY, []);

export const unfinishedOf = (row: DatabaseRow): UnfinishedRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  kind: UNFINISHED_KINDS.nameOf(numberOf(row, "kind")),
  id: textOf(row, "id"),
  body: textOf(row, "body"),
});
