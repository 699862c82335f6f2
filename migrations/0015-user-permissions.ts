import type { Knex } from "knex";

import { addColumns, dropColumns } from "./columns.ts";

const MEMBER = "jobs:create jobs:view jobs:cancel jobs:retry";

/** What a user may do, as words parted by spaces, instead of one of two roles. */
export const up = async (knex: Knex): Promise<void> => {
  await addColumns(knex, "users", (column, table) => {
    column.ascii("permissions", 255).defaultTo("");
    column.big("disabled_at").nullable();
    column.big("changed_at").defaultTo(0);
    table.index(["changed_at"], "users_by_change");
  });
  await knex("users").where({ role: "admin" }).update({ permissions: "admin" });
  await knex("users").whereNot({ role: "admin" }).update({ permissions: MEMBER });
  await dropColumns(knex, "users", ["role"]);
};

export const down = async (knex: Knex): Promise<void> => {
  await addColumns(knex, "users", (column) => {
    column.ascii("role", 20).defaultTo("member");
  });
  await knex("users").where("permissions", "like", "%admin%").update({ role: "admin" });
  await knex.schema.alterTable("users", (table) => {
    table.dropIndex(["changed_at"], "users_by_change");
  });
  await dropColumns(knex, "users", ["permissions", "disabled_at", "changed_at"]);
};
