/** The migrations of this program, and what a database has of them. */
import { readdir } from "node:fs/promises";

import type { Knex } from "knex";

import type { DatabaseRow } from "./engine.ts";
import { textOf } from "./rows/column.ts";

const FOLDER = new URL("../../migrations/", import.meta.url);
const FILE = /^\d{4}-[a-z0-9-]+\.ts$/;

export const MIGRATIONS_TABLE = "knex_migrations";

export type MigrationStatus = {
  readonly applied: readonly string[];
  /** In this program, and not in the database. */
  readonly pending: readonly string[];
  /** In the database, and not in this program: a newer one was here. */
  readonly unknown: readonly string[];
};

/** Names without ".ts", in their order. */
export const migrationNames = async (): Promise<string[]> => {
  const files = await readdir(FOLDER);
  return files
    .filter((file) => FILE.test(file))
    .map((file) => file.replace(/\.ts$/, ""))
    .toSorted();
};

const isMigration = (module: unknown): module is Knex.Migration =>
  typeof module === "object" && module !== null && "up" in module && "down" in module;

export const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: migrationNames,
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const module: unknown = await import(new URL(`${name}.ts`, FOLDER).href);
    if (!isMigration(module)) throw new TypeError(`migration ${name} lacks up or down`);
    return module;
  },
};

/** Changes nothing, not even on an empty database. */
export const statusOf = async (knex: Knex): Promise<MigrationStatus> => {
  const known = await migrationNames();
  const present = await knex.schema.hasTable(MIGRATIONS_TABLE);
  const rows = present ? ((await knex(MIGRATIONS_TABLE).orderBy("id")) as DatabaseRow[]) : [];
  const applied = rows.map((row) => textOf(row, "name"));
  return {
    applied,
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
};

/** The database's tables are not those that this program works with. */
export class UnknownSchema extends Error {
  override readonly name = "UnknownSchema";
}

/** @throws UnknownSchema, which names the command to run */
export const requireKnownSchema = async (knex: Knex): Promise<void> => {
  const { applied, pending, unknown } = await statusOf(knex);
  if (unknown.length > 0) {
    throw new UnknownSchema(
      `The database was made by a newer Millrace: this one does not know ${unknown.join(", ")}. ` +
        "Run the newer version, or take these back with its `millrace migrate down`.",
    );
  }
  if (applied.length === 0) {
    throw new UnknownSchema("The database is empty. Create its tables with `millrace migrate up`.");
  }
  if (pending.length > 0) {
    throw new UnknownSchema(
      `The database lacks ${pending.join(", ")}. Bring it up to date with \`millrace migrate up\`.`,
    );
  }
};
