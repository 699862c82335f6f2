/**
 * Databases with the schema in place, for tests: copied from two that were migrated at the start of
 * the run, which takes a tenth of the work of migrating. test/store/migrate.test.ts does migrate.
 */
import { copyFile } from "node:fs/promises";

import { inject } from "vitest";

import { migrateUp } from "../../src/store/migrate.ts";
import { createDatabase, type EngineName, type TestDatabase } from "./databases.ts";

export type Templates = {
  /** The path of a migrated file. */
  readonly sqlite: string;
  /** Statements that fill an empty database of MariaDB. */
  readonly mysql: readonly string[];
};

const pathOf = (url: string): string => url.slice("sqlite:".length);

/** For the global setup; `drop` after the last test. */
export const createTemplates = async (
  mysqlUrl: string,
): Promise<{ readonly templates: Templates; drop(): Promise<void> }> => {
  const sqlite = await createDatabase("sqlite", mysqlUrl);
  const mysql = await createDatabase("mysql", mysqlUrl);
  for (const { url } of [sqlite, mysql]) await migrateUp(url);
  const name = new URL(mysql.url).pathname.slice(1);
  const tables = await mysql.query("SHOW TABLES");
  const copies = tables.flatMap((row) => {
    const table = String(Object.values(row)[0]);
    return [
      `CREATE TABLE ${table} LIKE ${name}.${table}`,
      `INSERT INTO ${table} SELECT * FROM ${name}.${table}`,
    ];
  });
  return {
    templates: { sqlite: pathOf(sqlite.url), mysql: copies },
    drop: async () => {
      await mysql.drop();
      await sqlite.drop();
    },
  };
};

/** Puts a migrated SQLite database there. */
export const copyTemplate = async (path: string): Promise<void> => {
  await copyFile(inject("templates").sqlite, path);
};

/** Makes of an empty database what migrating would have made of it. */
export const fillFromTemplate = async (database: TestDatabase): Promise<void> => {
  if (database.engine === "sqlite") await copyTemplate(pathOf(database.url));
  else await database.execute(...inject("templates").mysql);
};

/** A migrated database, of `shards` shards if that is said. */
export const createMigrated = async (
  engine: EngineName,
  shards?: number,
): Promise<TestDatabase> => {
  const database = await createDatabase(engine, inject("mysqlUrl"));
  await fillFromTemplate(database);
  if (shards !== undefined) {
    const ids = Array.from({ length: shards }, (_, id) => `(${id})`);
    await database.execute("DELETE FROM shards", `INSERT INTO shards (id) VALUES ${ids.join()}`);
  }
  return database;
};
