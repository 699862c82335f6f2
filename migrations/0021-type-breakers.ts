import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Types that crashed again and again; written by the owner of the shard. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "type_breakers", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("type", 100);
    column.integer("failures").defaultTo(0);
    column.integer("trips").defaultTo(0);
    column.big("opened_at").nullable();
    column.big("retry_at").nullable();
    column.text("reason", 1_000).defaultTo("");
    table.primary(["shard_id", "organization_id", "type"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("type_breakers");
};
