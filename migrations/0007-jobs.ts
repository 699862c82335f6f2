import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/**
 * The hot row. Every column has a default: a fresh job writes only what differs from it, and the
 * insert half of an upsert (which never happens, but is checked) is legal.
 */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "jobs", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("id", 36);
    column.big("revision").defaultTo(0);
    column.small("state").defaultTo(0);

    column.text("name", 255).defaultTo("");
    column.text("type", 255).defaultTo("");
    column.integer("type_version").defaultTo(0);
    column.text("capability", 255).defaultTo("script");
    column.integer("priority").defaultTo(0);
    column.long("labels").nullable();
    column.ascii("creator_id", 36).defaultTo("");
    column.ascii("run_as", 36).defaultTo("");
    column.text("concurrency_key", 255).defaultTo("");
    column.small("concurrency_policy").defaultTo(1);
    column.big("attempt_timeout_ms").defaultTo(30_000);
    column.big("deadline_at").nullable();
    column.integer("max_retries").defaultTo(3);
    column.big("initial_backoff_ms").defaultTo(1_000);
    column.big("max_backoff_ms").defaultTo(600_000);
    column.real("multiplier").defaultTo(2);
    column.real("jitter").defaultTo(0.2);
    column.ascii("workflow_id", 36).defaultTo("");
    column.text("step_name", 255).defaultTo("");
    column.ascii("parent_id", 36).defaultTo("");
    column.big("created_at").defaultTo(0);

    column.big("run_at").defaultTo(0);
    column.big("queued_at").nullable();
    column.big("updated_at").defaultTo(0);
    column.big("started_at").nullable();
    column.big("ended_at").nullable();
    column.integer("attempt").defaultTo(0);
    column.integer("retry_count").defaultTo(0);
    column.integer("lost_count").defaultTo(0);
    column.text("runner_id", 255).defaultTo("");
    column.ascii("lease_token", 64).defaultTo("");
    column.big("report_seq").defaultTo(0);
    column.real("progress").defaultTo(0);
    column.text("progress_message", 1_000).defaultTo("");
    column.integer("current_step").defaultTo(0);
    column.integer("total_steps").defaultTo(0);
    column.long("error").nullable();
    column.big("cancel_requested_at").nullable();
    column.text("cancel_reason", 1_000).defaultTo("");
    column.big("output_count").defaultTo(0);
    column.big("cpu_ms").defaultTo(0);
    column.big("peak_memory_bytes").defaultTo(0);

    table.primary(["shard_id", "organization_id", "id"]);
    table.index(["organization_id", "revision", "id"], "jobs_by_revision");
    table.index(["organization_id", "state", "id"], "jobs_by_state");
    table.index(["shard_id", "ended_at"], "jobs_by_end");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("jobs");
};
