import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";

import {
  migrateDown,
  migrateUp,
  migrationStatus,
  MigrationLocked,
  unlockMigrations,
} from "../../src/store/migrate.ts";
import { migrationNames, UnknownSchema } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/open.ts";
import { JOB_DEFAULTS } from "../../src/store/rows/job.ts";
import { createDatabase, ENGINES, type TestDatabase } from "../support/databases.ts";
import { describeSchema } from "../support/schema.ts";
import { fillFromTemplate } from "../support/templates.ts";

const SNAPSHOTS = { sqlite: "sqlite.sql", mysql: "mysql.txt" } as const;
const names = await migrationNames();

describe.each(ENGINES)("migrations on %s", (engine) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase(engine, inject("mysqlUrl"));
  });
  afterEach(async () => {
    await database.drop();
  });

  const allDown = async (): Promise<string[]> => {
    const reverted: string[] = [];
    for (;;) {
      const name = await migrateDown(database.url);
      if (name === null) return reverted;
      reverted.push(name);
    }
  };

  test("make the schema that is committed (update it: vitest run test/store/migrate.test.ts --update)", async () => {
    await migrateUp(database.url);
    await expect(await describeSchema(database)).toMatchFileSnapshot(
      `../../src/store/schema/${SNAPSHOTS[engine]}`,
    );
  });

  test("go up, down one by one to nothing, and up to the same schema again", async () => {
    expect(await migrateUp(database.url)).toEqual(names);
    const schema = await describeSchema(database);
    expect(await allDown()).toEqual(names.toReversed());
    expect(await describeSchema(database)).not.toContain("shard");
    expect(await migrateUp(database.url)).toEqual(names);
    expect(await describeSchema(database)).toBe(schema);
    expect(await migrateUp(database.url)).toEqual([]);
  });

  test("say where a database stands, without touching it", async () => {
    expect(await migrationStatus(database.url)).toEqual({
      applied: [],
      pending: names,
      unknown: [],
    });
    expect((await describeSchema(database)).trim()).toBe(engine === "sqlite" ? ";" : "");
    await fillFromTemplate(database);
    await migrateDown(database.url);
    expect(await migrationStatus(database.url)).toEqual({
      applied: names.slice(0, -1),
      pending: names.slice(-1),
      unknown: [],
    });
  });

  test("make the shards once: by default 1 on SQLite and 16 on MySQL", async () => {
    await fillFromTemplate(database);
    await migrateUp(database.url, { shards: 99 });
    const store = await openStore(database.url);
    expect(await store.shards.list()).toHaveLength(engine === "sqlite" ? 1 : 16);
    await store.close();
  });

  test("make as many shards as they are told to", async () => {
    await migrateUp(database.url, { shards: 3 });
    const store = await openStore(database.url);
    expect((await store.shards.list()).map(({ id }) => id)).toEqual([0, 1, 2]);
    await store.close();
  });

  test("may be started several times at once: one does the work, all end well", async () => {
    const applied = await Promise.all(
      [1, 2, 3].map(async () => await migrateUp(database.url, { shards: 2 })),
    );
    expect(applied.flat().toSorted()).toEqual(names);
    const store = await openStore(database.url);
    expect(await store.shards.list()).toHaveLength(2);
    await store.close();
  });

  test("that were killed leave a lock, which is named and can be freed", async () => {
    await fillFromTemplate(database);
    await migrateDown(database.url);
    await database.execute("UPDATE knex_migrations_lock SET is_locked = 1");
    const stuck = migrateUp(database.url, { lockWaitMs: 0 });
    await expect(stuck).rejects.toThrow(MigrationLocked);
    await expect(stuck).rejects.toThrow(/millrace migrate unlock/);
    await unlockMigrations(database.url);
    expect(await migrateUp(database.url, { lockWaitMs: 0 })).toEqual(names.slice(-1));
  });

  test("a store is not opened on an empty database", async () => {
    const opened = openStore(database.url);
    await expect(opened).rejects.toThrow(UnknownSchema);
    await expect(opened).rejects.toThrow(/empty.*millrace migrate up/);
  });

  test("a store is not opened on a database that lacks a migration", async () => {
    await fillFromTemplate(database);
    await migrateDown(database.url);
    const opened = openStore(database.url);
    await expect(opened).rejects.toThrow(UnknownSchema);
    await expect(opened).rejects.toThrow(new RegExp(`${names.at(-1)}.*millrace migrate up`));
  });

  test("a store is not opened on a database of a newer version", async () => {
    await fillFromTemplate(database);
    await database.execute("INSERT INTO knex_migrations (name, batch) VALUES ('9999-later', 2)");
    const opened = openStore(database.url);
    await expect(opened).rejects.toThrow(UnknownSchema);
    await expect(opened).rejects.toThrow(/newer Millrace.*9999-later/);
  });

  test("the columns that fresh jobs leave out have the defaults that they leave them to", async () => {
    await fillFromTemplate(database);
    await database.execute("INSERT INTO jobs (shard_id, organization_id, id) VALUES (0, 'a', 'b')");
    const [row] = await database.query("SELECT * FROM jobs");
    for (const [column, value] of JOB_DEFAULTS)
      expect([column, row?.[column]]).toEqual([column, value]);
  });
});
