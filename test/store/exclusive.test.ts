import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, expect, inject, test } from "vitest";

import { DatabaseInUse } from "../../src/store/engines/sqlite-lock.ts";
import { migrateUp } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/open.ts";
import { createDatabase, type TestDatabase } from "../support/databases.ts";

const OPEN = fileURLToPath(new URL("../../src/store/open.ts", import.meta.url));

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase("sqlite", inject("mysqlUrl"));
  await migrateUp(database.url);
});
afterEach(async () => {
  await database.drop();
});

test("a second server on the same SQLite file is refused until the first has closed it", async () => {
  const first = await openStore(database.url, { exclusive: true });
  await expect(openStore(database.url, { exclusive: true })).rejects.toThrow(DatabaseInUse);
  await expect(openStore(database.url, { exclusive: true })).rejects.toThrow(/in use by another/);
  await first.close();
  const second = await openStore(database.url, { exclusive: true });
  await second.close();
});

test("commands may open the file while a server has it", async () => {
  const server = await openStore(database.url, { exclusive: true });
  const command = await openStore(database.url);
  await command.secrets.keep("made by", "a command");
  expect(await server.secrets.keep("made by", "the server")).toBe("a command");
  await command.close();
  await server.close();
});

test("the only server takes the lease of a dead one at once", async () => {
  const dead = await openStore(database.url);
  await dead.shards.claim(0, "dead", 60_000);
  await dead.close();
  const server = await openStore(database.url, { exclusive: true });
  expect(await server.shards.claim(0, "new", 60_000)).toEqual({ epoch: 2, revision: 0 });
  await server.close();
});

test("a server that is killed gives the file free by dying", async () => {
  const script = `import { openStore } from ${JSON.stringify(OPEN)};
    await openStore(process.argv[1], { exclusive: true });
    console.log("open"); setInterval(() => {}, 1000);`;
  const server = spawn(process.execPath, ["--input-type=module", "-e", script, database.url]);
  await once(server.stdout, "data");
  await expect(openStore(database.url, { exclusive: true })).rejects.toThrow(DatabaseInUse);
  const closed = once(server, "close");
  server.kill("SIGKILL");
  await closed;
  const next = await openStore(database.url, { exclusive: true });
  await next.close();
});

test("a commit waits, without stopping the process, while another process writes", async () => {
  const store = await openStore(database.url);
  const { DatabaseSync } = await import("node:sqlite");
  const writer = new DatabaseSync(database.url.replace("sqlite:", ""));
  writer.exec("BEGIN IMMEDIATE");
  const claim = store.shards.claim(0, "one", 60_000);
  const first = await Promise.race([
    claim,
    new Promise((resolve) => setImmediate(resolve, "alive")),
  ]);
  expect(first).toBe("alive");
  writer.exec("COMMIT");
  writer.close();
  expect(await claim).toEqual({ epoch: 1, revision: 0 });
  await store.close();
});
