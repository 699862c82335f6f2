import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Submissions that were taken, by the name that the caller gave them. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_requests", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.key("request_id", 100);
    column.ascii("job_id", 36);
    column.ascii("fingerprint", 64);
    column.big("created_at");
    table.primary(["shard_id", "organization_id", "request_id"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_requests");
};
