import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** The fence and the lease of each shard. Its rows are made once, when the database is new. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "shards", (column) => {
    column.small("id").primary();
    column.big("epoch").defaultTo(0);
    column.big("revision").defaultTo(0);
    column.big("compacted_revision").defaultTo(0);
    column.text("owner", 255).defaultTo("");
    column.big("lease_until").defaultTo(0);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("shards");
};
