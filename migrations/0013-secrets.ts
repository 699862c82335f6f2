import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Keys that all servers on this database share. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "secrets", (column) => {
    column.ascii("name", 64).primary();
    column.ascii("value", 255);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("secrets");
};
