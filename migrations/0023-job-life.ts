import type { Knex } from "knex";

import { addColumns, dropColumns } from "./columns.ts";

const THIRTY_DAYS_MS = 30 * 86_400_000;

/**
 * `purge_at`: when an ended job may be removed; null exactly while it is active, so that the index
 * by it also finds the active jobs, as the one by `ended_at` did.
 */
export const up = async (knex: Knex): Promise<void> => {
  await addColumns(knex, "jobs", (column) => {
    column.big("update_seq").defaultTo(0);
    column.integer("token_revoked_attempt").defaultTo(0);
    column.ascii("cancelled_by", 36).defaultTo("");
    column.big("purge_at").nullable();
    column.ascii("schedule_id", 100).defaultTo("");
  });
  // Whoever removes a job finds by it the request that it came with.
  await addColumns(knex, "job_specs", (column) => {
    column.key("request_id", 100).defaultTo("");
  });
  await knex("jobs")
    .whereNotNull("ended_at")
    .update({ purge_at: knex.raw("ended_at + ?", [THIRTY_DAYS_MS]) });
  await knex.schema.alterTable("jobs", (table) => {
    table.index(["shard_id", "purge_at"], "jobs_by_purge");
    table.dropIndex(["shard_id", "ended_at"], "jobs_by_end");
    // Whoever is no admin sees his own jobs: his lists must not walk all others.
    table.index(["organization_id", "creator_id", "id"], "jobs_by_creator");
    table.index(["organization_id", "run_as", "id"], "jobs_by_run_as");
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.alterTable("jobs", (table) => {
    table.index(["shard_id", "ended_at"], "jobs_by_end");
    table.dropIndex(["shard_id", "purge_at"], "jobs_by_purge");
    table.dropIndex(["organization_id", "creator_id", "id"], "jobs_by_creator");
    table.dropIndex(["organization_id", "run_as", "id"], "jobs_by_run_as");
  });
  await dropColumns(knex, "job_specs", ["request_id"]);
  await dropColumns(knex, "jobs", [
    ...["update_seq", "token_revoked_attempt", "cancelled_by", "purge_at", "schedule_id"],
  ]);
};
