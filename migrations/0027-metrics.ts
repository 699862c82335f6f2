import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** What happened to jobs by time, up to where it has been rolled up, and who may read it. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "metric_points", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.small("resolution");
    column.big("started_at");
    column.ascii("type", 100);
    // The revision that whoever wrote it had loaded: no two who count apart write the same row.
    column.big("writer");
    column.big("submitted");
    column.big("started");
    column.big("succeeded");
    column.big("failed");
    column.big("cancelled");
    column.big("retried");
    column.long("queue");
    column.long("run");
    column.long("total");
    column.big("queue_age_ms");
    table.primary(["shard_id", "organization_id", "resolution", "started_at", "type", "writer"]);
  });
  await createTable(knex, "metric_rollups", (column, table) => {
    column.small("shard_id");
    column.small("resolution");
    column.big("rolled_until");
    table.primary(["shard_id", "resolution"]);
  });
  await createTable(knex, "metric_grants", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("user_id", 36);
    column.ascii("metrics", 100);
    column.long("types");
    column.ascii("created_by", 36);
    column.big("created_at");
    table.primary(["shard_id", "organization_id", "user_id"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("metric_grants");
  await knex.schema.dropTable("metric_rollups");
  await knex.schema.dropTable("metric_points");
};
