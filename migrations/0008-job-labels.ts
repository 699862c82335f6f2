import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** For lists by label. What lists show is in the jobs row. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_labels", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.key("name", 63);
    column.key("value", 200);
    column.ascii("job_id", 36);
    table.primary(["shard_id", "organization_id", "name", "value", "job_id"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_labels");
};
