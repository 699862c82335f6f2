import type { Knex } from "knex";

import type { AuditAction, AuditRow } from "../../jobs/audit.ts";
import type { OrganizationId, UserId } from "../../jobs/ids.ts";
import type { DatabaseRow } from "../engine.ts";
import type { AuditLine } from "../store.ts";
import { binding, numberOf, textOf, textOrNull } from "./column.ts";

export const INSERT_AUDIT = binding<AuditRow>(
  "audit_log",
  "insert",
  [
    ["organization_id", (row) => row.organizationId],
    ["id", (row) => row.id],
  ],
  [
    ["at", (row) => row.at],
    ["actor_id", (row) => row.actor.userId],
    ["token_id", (row) => row.actor.tokenId],
    ["address", (row) => row.actor.address],
    ["action", (row) => row.action],
    ["subject", (row) => row.subject],
    ["details", (row) => row.details],
  ],
);

/** One line beside writes that are not hot, in their transaction. */
export const insertAuditLine = async (knex: Knex, { shardId, row }: AuditLine): Promise<void> => {
  const { write, values } = INSERT_AUDIT;
  const cells = values(shardId, row);
  const columns = write.columns.map((name, at) => [name, cells[at] ?? null] as const);
  await knex(write.table).insert(Object.fromEntries(columns));
};

export const auditOf = (row: DatabaseRow): AuditRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  id: textOf(row, "id"),
  at: numberOf(row, "at"),
  actor: {
    userId: textOf(row, "actor_id") as UserId | "",
    tokenId: textOf(row, "token_id"),
    address: textOf(row, "address"),
  },
  action: textOf(row, "action") as AuditAction,
  subject: textOf(row, "subject"),
  details: textOrNull(row, "details"),
});
