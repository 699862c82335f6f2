import type { Knex } from "knex";

import { addColumns, dropColumns } from "./columns.ts";

/** Null is the server's default. `changed_at`, by the database's clock, tells owners to look anew. */
export const up = async (knex: Knex): Promise<void> => {
  await addColumns(knex, "organizations", (column, table) => {
    column.integer("weight").nullable();
    column.big("retention_ms").nullable();
    column.big("changed_at").defaultTo(0);
    table.index(["changed_at"], "organizations_by_change");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.alterTable("organizations", (table) => {
    table.dropIndex(["changed_at"], "organizations_by_change");
  });
  await dropColumns(knex, "organizations", ["weight", "retention_ms", "changed_at"]);
};
