import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Limits that are null are the server's defaults. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "organizations", (column, table) => {
    column.ascii("id", 36).primary();
    column.text("name", 200);
    column.integer("max_running").nullable();
    column.integer("max_queued").nullable();
    column.big("created_at");
    table.unique(["name"], { indexName: "organizations_by_name" });
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("organizations");
};
