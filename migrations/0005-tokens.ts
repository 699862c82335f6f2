import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Bearer tokens: the public part, and the hash of the secret one. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "tokens", (column, table) => {
    column.ascii("id", 64).primary();
    column.ascii("kind", 20);
    column.ascii("organization_id", 36).defaultTo("");
    column.ascii("user_id", 36).defaultTo("");
    column.text("name", 200).defaultTo("");
    column.ascii("hash", 64);
    column.big("created_at");
    column.big("expires_at").nullable();
    column.big("revoked_at").nullable();
    column.big("last_used_at").nullable();
    table.index(["organization_id", "user_id"], "tokens_by_user");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("tokens");
};
