import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** The servers that are alive. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "servers", (column) => {
    column.text("id", 255).primary();
    column.text("internal_url", 2_048);
    column.big("seen_at");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("servers");
};
