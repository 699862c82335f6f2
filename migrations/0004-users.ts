import type { Knex } from "knex";

import { createTable } from "./columns.ts";

export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "users", (column, table) => {
    column.ascii("organization_id", 36);
    column.ascii("id", 36);
    column.text("name", 200);
    column.ascii("role", 20);
    column.big("created_at");
    table.primary(["organization_id", "id"]);
    table.unique(["organization_id", "name"], { indexName: "users_by_name" });
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("users");
};
