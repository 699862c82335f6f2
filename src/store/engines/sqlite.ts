/**
 * SQLite, as it comes with Node. There is one connection, which one piece of work has at a time;
 * every call is synchronous underneath.
 */
import { closeSync, openSync } from "node:fs";

import knexPackage, { type Knex } from "knex";
import BetterSqlite3Client from "knex/lib/dialects/better-sqlite3/index.js";

import { DatabaseError, QUIET, type Engine, type Transaction, type Write } from "../engine.ts";
import { whenFree } from "./sqlite-busy.ts";
import { SqliteDatabase } from "./sqlite-driver.ts";
import { lockFile } from "./sqlite-lock.ts";

export const IN_MEMORY = ":memory:";

export type SqliteOptions = {
  /** Refuse to share the file with another server. */
  readonly exclusive: boolean;
  /** Stands in for the database's clock. */
  readonly now?: (() => number) | undefined;
};

/** knex's dialect with the one connection put in. */
const clientFor = (database: SqliteDatabase): typeof Knex.Client =>
  class extends BetterSqlite3Client {
    override _driver(): unknown {
      return null;
    }
    override async acquireRawConnection(): Promise<SqliteDatabase> {
      return await Promise.resolve(database);
    }
    override async destroyRawConnection(): Promise<void> {
      await Promise.resolve();
    }
    override async _query(connection: unknown, query: object): Promise<object> {
      return await whenFree(async () => await super._query(connection, query));
    }
  };

const condition = (columns: readonly string[]): string =>
  columns.map((column) => `${column} = ?`).join(" AND ");

const tailOf = ({ key, columns, kind }: Write): string => {
  if (kind === "insert-missing") return " ON CONFLICT DO NOTHING";
  if (kind !== "upsert") return "";
  const set = columns.slice(key.length).map((column) => `${column} = excluded.${column}`);
  return ` ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${set.join(", ")}`;
};

const textOf = (write: Write): string => {
  const { table, key, columns, kind } = write;
  if (kind === "delete") return `DELETE FROM ${table} WHERE ${condition(columns)}`;
  if (kind === "update") {
    const set = columns.slice(key.length).map((column) => `${column} = ?`);
    return `UPDATE ${table} SET ${set.join(", ")} WHERE ${condition(key)}`;
  }
  const tail = tailOf(write);
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})${tail}`;
};

/**
 * Row by row with one prepared statement: there is no round trip to save, and statements of 100
 * rows were slower (bench/store.ts).
 */
const transactionOn = (database: SqliteDatabase): Transaction => ({
  run: async (sql, values) =>
    await Promise.resolve(Number(database.prepare(sql).run(values).changes)),
  write: async (write, rows) => {
    const statement = database.prepare(textOf(write));
    const keys = write.key.length;
    for (const row of rows) {
      if (write.kind !== "update") statement.run(row);
      else if (statement.run([...row.slice(keys), ...row.slice(0, keys)]).changes !== 1) {
        throw new DatabaseError(
          `a row of ${write.table} that is to change is not there`,
          "MISSING",
        );
      }
    }
    await Promise.resolve();
  },
});

const inTransaction = async <T>(
  database: SqliteDatabase,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> => {
  await whenFree(() => {
    database.exec("BEGIN IMMEDIATE");
  });
  try {
    const answer = await work(transactionOn(database));
    database.exec("COMMIT");
    return answer;
  } catch (cause) {
    // Some errors, such as a full disk, have rolled back already.
    if (database.inTransaction) database.exec("ROLLBACK");
    throw cause;
  }
};

const makeFile = (path: string): void => {
  // Inputs and results of jobs are nobody else's business.
  closeSync(openSync(path, "a", 0o600));
};

/** @throws DatabaseInUse */
export const openSqlite = (path: string, options: SqliteOptions): Engine => {
  if (path !== IN_MEMORY) makeFile(path);
  const unlock = options.exclusive && path !== IN_MEMORY ? lockFile(path) : null;
  const database = new SqliteDatabase(path, options.now);
  const builder = knexPackage.knex({
    client: clientFor(database),
    useNullAsDefault: true,
    compileSqlOnError: false,
    log: QUIET,
    pool: { min: 1, max: 1 },
    connection: { filename: path },
  });
  const client = builder.client as Knex.Client;
  return {
    name: "sqlite",
    knex: builder,
    now:
      options.now === undefined ? "CAST(unixepoch('subsec') * 1000 AS INTEGER)" : "millrace_now()",
    textOfBytes: (column) => builder.raw("??", [column]),
    indexTail: ["rowid"],
    readBy: (table, index) => builder.raw("?? INDEXED BY ??", [table, index]),
    alone: options.exclusive,
    transaction: async (work) => {
      const connection: unknown = await client.acquireConnection();
      try {
        return await inTransaction(database, work);
      } finally {
        await client.releaseConnection(connection);
      }
    },
    snapshot: async (work) => await builder.transaction(work),
    script: async (sql) => {
      await Promise.resolve(database.exec(sql));
    },
    close: async () => {
      await builder.destroy();
      database.close();
      unlock?.();
    },
  };
};
