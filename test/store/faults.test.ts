import { createConnection, type Connection } from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { DatabaseError } from "../../src/store/engine.ts";
import { openStore } from "../../src/store/open.ts";
import { claimed, someChanges } from "../support/changes.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import { placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

describe("faults of a database over the network", () => {
  const given = withStore("mysql");
  let admin: Connection;
  beforeEach(async () => {
    admin = await createConnection({ uri: given.database.url });
  });
  afterEach(async () => {
    await admin.end();
  });

  /** Ends all connections of the store, as a database that restarts does. */
  const cutConnections = async (): Promise<void> => {
    const [rows] = await admin.query(
      "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    );
    for (const { id } of rows as { id: number }[]) await admin.query(`KILL ${id}`);
  };

  test("a connection lost in the middle of a commit fails it, and the next one works", async () => {
    const { shards, jobs } = given.store;
    const { fence } = await claimed(shards);
    const job = aJobRow({ revision: 1 });
    await admin.query("START TRANSACTION");
    await admin.query("SELECT * FROM shards WHERE id = 0 FOR UPDATE");
    const commit = shards.commit(fence, someChanges({ revision: 1, inserted: [job] }));
    const failure = commit.catch((cause: unknown) => cause);
    await waitingForLock(admin);
    await cutConnections();
    expect(await failure).toBeInstanceOf(DatabaseError);
    await admin.query("ROLLBACK");
    expect(await jobs.find(placeOf(job), job.id)).toBeNull();
    await shards.commit(fence, someChanges({ revision: 1, inserted: [job] }));
  });

  test("a database that does not answer is given up, and the next commit works", async () => {
    const store = await openStore(given.database.url, { statementTimeoutMs: 300 });
    const { fence } = await claimed(store.shards);
    const change = someChanges({ revision: 1, inserted: [aJobRow({ revision: 1 })] });
    await admin.query("START TRANSACTION");
    await admin.query("SELECT * FROM shards WHERE id = 0 FOR UPDATE");
    await expect(store.shards.commit(fence, change)).rejects.toMatchObject({ code: "TIMEOUT" });
    await admin.query("ROLLBACK");
    await store.shards.commit(fence, change);
    await store.close();
  });

  test("a deadlock fails the commit whole, with the database's code", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const job = aJobRow();
    await owner.commit({ inserted: [job] });
    await admin.query("START TRANSACTION");
    // The heavier transaction survives a deadlock.
    await admin.query(
      `INSERT INTO secrets (name, value) VALUES ${Array.from({ length: 500 }, (_, n) => `('${n}', '')`).join()}`,
    );
    await admin.query("SELECT * FROM jobs FOR UPDATE");
    const commit = owner.commit({ updated: [{ ...job, state: "RUNNING" }] });
    const failure = commit.catch((cause: unknown) => cause);
    await waitingForLock(admin);
    await admin.query("SELECT * FROM shards FOR UPDATE");
    expect(await failure).toMatchObject({ code: "ER_LOCK_DEADLOCK" });
    await admin.query("ROLLBACK");
    expect(await jobs.find(placeOf(job), job.id)).toMatchObject({ state: "QUEUED", revision: 1 });
    expect((await jobs.revision(0)).current).toBe(1);
  });

  test("a commit and a renewal wait for no other shard", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards, 1);
    await admin.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    await admin.query("START TRANSACTION");
    await admin.query("UPDATE shards SET owner = 'held' WHERE id IN (0, 2)");
    await owner.commit({ inserted: [aJobRow()] });
    expect(await shards.renew([owner.fence], "a test", 60_000)).toEqual([1]);
    await admin.query("ROLLBACK");
  });

  test("an error never carries the callers' data", async () => {
    const owner = await claimed(given.store.shards);
    const job = aJobRow();
    const spec = { ...aSpecRow(job), input: "a secret of the caller" };
    await owner.commit({ specs: [spec] });
    const failure: unknown = await owner.commit({ specs: [spec] }).catch((cause: unknown) => cause);
    expect(failure).toBeInstanceOf(DatabaseError);
    const everything = JSON.stringify(failure, Object.getOwnPropertyNames(failure));
    expect(everything).toContain("ER_DUP_ENTRY");
    expect(failure).toMatchObject({ isTemporary: false });
    expect(everything).not.toContain("secret of the caller");
  });

  test("a database that is not there is an error that says so", async () => {
    const nowhere = new URL(given.database.url);
    nowhere.port = "1";
    await expect(openStore(nowhere.href)).rejects.toMatchObject({
      code: "ECONNREFUSED",
      isTemporary: true,
    });
  });

  test("sessions are alike whatever the server is set to", async () => {
    const [[before]] = (await admin.query("SELECT @@GLOBAL.sql_mode AS mode")) as unknown as [
      [{ mode: string }],
    ];
    await admin.query("SET GLOBAL sql_mode = ''");
    try {
      const store = await openStore(given.database.url);
      const owner = await claimed(store.shards);
      const tooLong = aJobRow({ name: "x".repeat(300) });
      await expect(owner.commit({ inserted: [tooLong] })).rejects.toThrow(DatabaseError);
      await store.close();
    } finally {
      await admin.query("SET GLOBAL sql_mode = ?", [before.mode]);
    }
  });
});

/**
 * Resolves when a transaction of this database waits for a lock. Asks InnoDB's own report:
 * information_schema.innodb_trx is a copy that is not renewed while it is read again and again.
 */
const waitingForLock = async (admin: Connection): Promise<void> => {
  for (;;) {
    const [sessions] = await admin.query(
      "SELECT id FROM information_schema.processlist WHERE db = DATABASE()",
    );
    const [[report]] = (await admin.query("SHOW ENGINE INNODB STATUS")) as unknown as [
      [{ Status: string }],
    ];
    const waiting = report.Status.split("---TRANSACTION").filter((of) => of.includes("LOCK WAIT"));
    const ids = (sessions as { id: number }[]).map(({ id }) => ` thread id ${id},`);
    if (waiting.some((of) => ids.some((id) => of.includes(id)))) return;
  }
};
