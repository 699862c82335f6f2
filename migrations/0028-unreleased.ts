import type { Knex } from "knex";

import { addColumns, dropColumns } from "./columns.ts";

const HELD = 1;

/** A job that was cancelled while it was HELD is to be HELD again when it is brought back to life. */
export const up = async (knex: Knex): Promise<void> => {
  await addColumns(knex, "jobs", (column) => {
    column.small("unreleased").defaultTo(0);
  });
  await knex("jobs").where("state", HELD).update({ unreleased: 1 });
};

export const down = async (knex: Knex): Promise<void> => {
  await dropColumns(knex, "jobs", ["unreleased"]);
};
