import { inject, expect, test } from "vitest";

import { migrateUp } from "../../src/store/migrate.ts";
import { migrationNames } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/open.ts";
import { claimed } from "../support/changes.ts";
import { createDatabase } from "../support/databases.ts";
import { aJobRow } from "../support/job-row.ts";
import { placeOf } from "../support/store-rows.ts";

test("every store in memory is a new one, with as many shards as wanted", async () => {
  const one = await openStore("sqlite::memory:", { shards: 3 });
  const two = await openStore("sqlite::memory:");
  const job = aJobRow();
  await (await claimed(one.shards)).commit({ inserted: [job] });
  expect(await one.shards.list()).toHaveLength(3);
  expect(await two.shards.list()).toHaveLength(1);
  expect(await one.jobs.find(placeOf(job), job.id)).not.toBeNull();
  expect(await two.jobs.find(placeOf(job), job.id)).toBeNull();
  await one.close();
  await two.close();
});

test("a store in memory goes by the clock that it is given", async () => {
  let now = 1_000;
  const store = await openStore("sqlite::memory:", { now: () => now });
  await store.shards.claim(0, "one", 500);
  now = 1_499;
  expect(await store.shards.claim(0, "two", 500)).toBeNull();
  now = 1_500;
  expect(await store.shards.claim(0, "two", 500)).toEqual({ epoch: 2, revision: 0 });
  await store.close();
});

test("a store in memory has what the migrations would have made", async () => {
  const database = await createDatabase("sqlite", inject("mysqlUrl"));
  await migrateUp(database.url);
  const rows = await database.query("SELECT name FROM knex_migrations ORDER BY id");
  expect(rows.map(({ name }) => name)).toEqual(await migrationNames());
  await database.drop();
});
