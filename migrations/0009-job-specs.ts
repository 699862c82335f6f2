import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** The cold row: written once, read when an attempt starts. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_specs", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("job_id", 36);
    column.long("input");
    column.ascii("script_hash", 64).defaultTo("");
    column.text("callback_url", 2_048).defaultTo("");
    column.text("traceparent", 255).defaultTo("");
    table.primary(["shard_id", "organization_id", "job_id"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_specs");
};
