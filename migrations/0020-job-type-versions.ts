import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Written once. Versions count from 1. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "job_type_versions", (column, table) => {
    column.ascii("organization_id", 36);
    column.ascii("name", 100);
    column.integer("version");
    column.ascii("fingerprint", 64);
    column.text("description", 1_000).defaultTo("");
    column.text("capability", 255);
    column.ascii("script_hash", 64).defaultTo("");
    column.long("input_schema").nullable();
    column.long("defaults");
    column.ascii("created_by", 36).defaultTo("");
    column.big("created_at");
    table.primary(["organization_id", "name", "version"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("job_type_versions");
};
