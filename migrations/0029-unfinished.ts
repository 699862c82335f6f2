import type { Knex } from "knex";

import { createTable } from "./columns.ts";

/** What a commit left to later ones, so that none grows without bound. */
export const up = async (knex: Knex): Promise<void> => {
  await createTable(knex, "unfinished", (column, table) => {
    column.small("shard_id");
    column.small("kind");
    column.ascii("organization_id", 36);
    column.ascii("id", 36);
    column.long("body");
    table.primary(["shard_id", "kind", "organization_id", "id"]);
  });
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.schema.dropTable("unfinished");
};
