/** The list of live servers, and the keys that they share. */
import type { DatabaseRow, Engine } from "./engine.ts";
import { textOf } from "./rows/column.ts";
import type { SecretStore, ServerStore } from "./store.ts";

export const createServerStore = ({ knex, now }: Engine): ServerStore => ({
  announce: async (id, internalUrl) => {
    await knex("servers")
      .insert({ id, internal_url: internalUrl, seen_at: knex.raw(now) })
      .onConflict("id")
      .merge();
  },
  live: async (withinMs) => {
    const rows = (await knex("servers")
      .whereRaw(`seen_at > ${now} - ?`, [withinMs])
      .orderBy("id")) as DatabaseRow[];
    return rows.map((row) => textOf(row, "internal_url"));
  },
  withdraw: async (id) => {
    await knex("servers").where({ id }).delete();
  },
});

export const createSecretStore = ({ knex }: Engine): SecretStore => ({
  keep: async (name, fresh) => {
    // Of two servers that start together the first row stays, and both read it.
    await knex("secrets").insert({ name, value: fresh }).onConflict("name").merge(["name"]);
    const row = (await knex("secrets").where({ name }).first()) as DatabaseRow | undefined;
    if (row === undefined) throw new Error(`the secret ${name} was removed while it was made`);
    return textOf(row, "value");
  },
  names: async (prefix) => {
    const rows = (await knex("secrets").select("name").orderBy("name")) as DatabaseRow[];
    return rows.map((row) => textOf(row, "name")).filter((name) => name.startsWith(prefix));
  },
  remove: async (names) => {
    if (names.length > 0)
      await knex("secrets")
        .whereIn("name", [...names])
        .delete();
  },
});
