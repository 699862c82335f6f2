import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Who did what to which subject, when, and from where. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "audit_log", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("id", 36);
    column.big("at");
    column.ascii("actor_id", 36).defaultTo("");
    column.ascii("token_id", 64).defaultTo("");
    column.ascii("address", 64).defaultTo("");
    column.ascii("action", 40);
    column.ascii("subject", 100);
    column.long("details").nullable();
    table.primary(["shard_id", "organization_id", "id"]);
    table.index(["organization_id", "subject", "id"], "audit_log_by_subject");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("audit_log");
};
