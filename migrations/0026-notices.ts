import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Hooks, the outbox of what is to be told, every try to tell it, and the secrets that sign it. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "hooks", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("id", 36);
    column.text("name", 255);
    column.long("event");
    column.long("target");
    column.ascii("creator_id", 36);
    column.big("paused_at").nullable();
    column.text("pause_reason", 1_000);
    column.integer("failures");
    column.big("loops_stopped");
    column.text("loop_reason", 1_000);
    column.big("above_since").nullable();
    column.small("firing");
    column.big("version");
    column.big("created_at");
    column.big("changed_at");
    table.primary(["shard_id", "organization_id", "id"]);
  });
  await createTable(knex, "deliveries", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("id", 36);
    column.small("state");
    column.ascii("event", 50);
    column.ascii("job_id", 36);
    column.integer("attempt");
    column.ascii("hook_id", 36);
    column.text("url", 2_048);
    column.ascii("origin", 300);
    column.text("job_type", 255);
    column.ascii("submitted_job_id", 36);
    column.ascii("hook_chain", 255);
    column.long("body");
    column.integer("schedule_tries");
    column.integer("tries");
    column.big("created_at");
    column.big("next_try_at").nullable();
    column.big("ended_at").nullable();
    column.text("last_error", 1_000);
    column.big("purge_at").nullable();
    table.primary(["shard_id", "organization_id", "id"]);
    // What is due, for each receiver by itself: one that is slow or dead hides nobody else's. What
    // has ended has no origin: a range without it holds only what is still to be sent.
    table.index(["shard_id", "origin", "organization_id", "next_try_at"], "deliveries_by_time");
    table.index(["organization_id", "job_id", "id"], "deliveries_by_job");
    table.index(["organization_id", "hook_id", "id"], "deliveries_by_hook");
    table.index(["shard_id", "purge_at"], "deliveries_by_purge");
  });
  await createTable(knex, "delivery_tries", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("delivery_id", 36);
    column.integer("try");
    column.big("started_at");
    column.big("duration_ms");
    column.integer("status");
    column.text("error", 1_000);
    table.primary(["shard_id", "organization_id", "delivery_id", "try"]);
  });
  await createTable(knex, "signing_secrets", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("hook_id", 36);
    column.ascii("id", 36);
    column.ascii("secret", 255);
    column.big("created_at");
    column.big("expires_at").nullable();
    table.primary(["shard_id", "organization_id", "hook_id", "id"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("signing_secrets");
  await knex.schema.dropTable("delivery_tries");
  await knex.schema.dropTable("deliveries");
  await knex.schema.dropTable("hooks");
};
