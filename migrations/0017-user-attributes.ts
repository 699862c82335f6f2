import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Facts about users that jobs depend on. A name may have several values. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "user_attributes", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("user_id", 36);
    column.ascii("name", 100);
    column.key("value", 200);
    column.small("kind");
    column.big("created_at");
    table.primary(["shard_id", "organization_id", "user_id", "name", "value"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("user_attributes");
};
