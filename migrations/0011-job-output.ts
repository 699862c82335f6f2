import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** What jobs wrote, in order. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_output", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("job_id", 36);
    column.big("seq");
    column.integer("attempt");
    column.small("stream");
    column.long("text");
    column.big("written_at");
    table.primary(["shard_id", "organization_id", "job_id", "seq"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_output");
};
