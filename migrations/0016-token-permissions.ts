import type { Knex } from "knex";

import { addColumns, dropColumns } from "./columns.ts";

/** Null: everything that its user may do. `changed_at`, by the database's clock, is when it was revoked: other servers look for it. */
export const up = async (knex: Knex): Promise<void> => {
  await addColumns(knex, "tokens", (column, table) => {
    column.ascii("permissions", 255).nullable();
    column.ascii("created_by", 36).defaultTo("");
    column.big("changed_at").defaultTo(0);
    table.index(["changed_at"], "tokens_by_change");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.alterTable("tokens", (table) => {
    table.dropIndex(["changed_at"], "tokens_by_change");
  });
  await dropColumns(knex, "tokens", ["permissions", "created_by", "changed_at"]);
};
