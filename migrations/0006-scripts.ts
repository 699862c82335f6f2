import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** Scripts by the hash of their content, each organization its own. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "scripts", (column, table) => {
    column.small("shard_id");
    column.ascii("organization_id", 36);
    column.ascii("hash", 64);
    column.small("language");
    column.long("source");
    column.long("code");
    column.big("created_at");
    table.primary(["shard_id", "organization_id", "hash"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("scripts");
};
