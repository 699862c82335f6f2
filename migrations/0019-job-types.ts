import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** A type by its name; what it runs stands in its versions. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_types", (column, table) => {
    column.ascii("organization_id", 36);
    column.ascii("name", 100);
    column.integer("version");
    column.small("enabled").defaultTo(1);
    column.integer("max_running").nullable();
    column.big("created_at");
    column.big("changed_at");
    table.primary(["organization_id", "name"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_types");
};
