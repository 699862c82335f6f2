import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Attempts that ended. The running one is in the jobs row; only a succeeded one has a result. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_attempts", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("job_id", 36);
    column.integer("attempt");
    column.text("runner_id", 255);
    column.big("started_at");
    column.big("ended_at");
    column.small("outcome");
    column.long("result").nullable();
    column.long("error").nullable();
    column.big("cpu_ms").defaultTo(0);
    column.big("peak_memory_bytes").defaultTo(0);
    table.primary(["shard_id", "organization_id", "job_id", "attempt"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_attempts");
};
