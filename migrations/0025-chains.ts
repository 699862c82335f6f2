import type { Knex } from "knex";

import { addColumns, createTable, dropColumns } from "./columns.ts";

/**
 * Jobs with ties, and jobs of jobs. What nobody has but they has tables of its own; a callback's URL
 * moves to the hot row, because whoever ends a job has to know it.
 */
export const up = async (knex: Knex): Promise<void> => {
  await addColumns(knex, "jobs", (column) => {
    column.integer("depth").defaultTo(0);
    column.ascii("hook_chain", 255).defaultTo("");
    column.text("callback_url", 2_048).defaultTo("");
    column.text("blocked_by", 100).defaultTo("");
    column.integer("child_count").defaultTo(0);
    column.small("callback_state").defaultTo(0);
  });
  await dropColumns(knex, "job_specs", ["callback_url"]);
  await addColumns(knex, "job_specs", (column) => {
    // MySQL 8 gives no default to a long text.
    column.long("bindings").nullable();
  });
  await createTable(knex, "workflows", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("id", 36);
    column.big("revision");
    column.small("state");
    column.text("name", 255);
    column.long("labels").nullable();
    column.ascii("creator_id", 36);
    column.key("request_id", 100);
    column.integer("step_count");
    column.integer("succeeded");
    column.integer("failed");
    column.integer("cancelled");
    column.integer("unanswered_failed");
    column.integer("unanswered_cancelled");
    column.big("created_at");
    column.big("updated_at");
    column.big("ended_at").nullable();
    column.big("purge_at").nullable();
    column.big("cancel_requested_at").nullable();
    column.text("cancel_reason", 1_000);
    column.ascii("cancelled_by", 36);
    table.primary(["shard_id", "organization_id", "id"]);
    table.index(["shard_id", "purge_at"], "workflows_by_purge");
    table.index(["organization_id", "state", "id"], "workflows_by_state");
    table.index(["organization_id", "creator_id", "id"], "workflows_by_creator");
  });
  await createTable(knex, "workflow_steps", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("workflow_id", 36);
    column.integer("position");
    column.text("name", 100);
    column.ascii("job_id", 36);
    table.primary(["shard_id", "organization_id", "workflow_id", "position"]);
  });
  await createTable(knex, "job_edges", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("workflow_id", 36);
    column.ascii("job_id", 36);
    column.ascii("upstream_id", 36);
    column.small("on_failure");
    table.primary(["shard_id", "organization_id", "workflow_id", "job_id", "upstream_id"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_edges");
  await knex.schema.dropTable("workflow_steps");
  await knex.schema.dropTable("workflows");
  await dropColumns(knex, "job_specs", ["bindings"]);
  await addColumns(knex, "job_specs", (column) => {
    column.text("callback_url", 2_048).defaultTo("");
  });
  await dropColumns(knex, "jobs", [
    ...["depth", "hook_chain", "callback_url", "blocked_by", "child_count", "callback_state"],
  ]);
};
