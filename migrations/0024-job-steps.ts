import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Steps of jobs that ended: attempts that follow skip them. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_steps", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("job_id", 36);
    column.key("name", 100);
    column.integer("attempt");
    column.long("result");
    column.big("written_at");
    table.primary(["shard_id", "organization_id", "job_id", "name"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_steps");
};
