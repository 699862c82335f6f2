import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** What is submitted again and again. `next_fire_at` is null while it is paused. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "schedules", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("id", 100);
    column.text("cron", 200);
    column.ascii("time_zone", 100);
    column.small("catch_up");
    column.long("spec");
    column.ascii("creator_id", 36).defaultTo("");
    column.ascii("run_as", 36).defaultTo("");
    column.big("paused_at").nullable();
    column.text("pause_reason", 500).defaultTo("");
    column.big("next_fire_at").nullable();
    column.big("pending_from").nullable();
    column.big("last_fire_at").nullable();
    column.ascii("last_job_id", 36).defaultTo("");
    column.text("last_error", 1_000).defaultTo("");
    column.big("fire_count").defaultTo(0);
    column.big("version").defaultTo(1);
    column.big("created_at");
    column.big("changed_at");
    table.primary(["shard_id", "organization_id", "id"]);
    table.index(["shard_id", "next_fire_at"], "schedules_by_time");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("schedules");
};
