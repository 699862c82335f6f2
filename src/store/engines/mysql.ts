/**
 * MySQL and MariaDB, and what speaks their language (Galera, InnoDB Cluster, Aurora, TiDB, Vitess).
 * Only statements that all of these understand.
 */
import knexPackage, { type Knex } from "knex";
import Mysql2Client from "knex/lib/dialects/mysql2/index.js";
import type { Connection, ResultSetHeader } from "mysql2";

import { systemClock } from "../../runtime/clock.ts";
import { DatabaseError, QUIET, type Engine, type Transaction, type Value } from "../engine.ts";
import { cut, textOf } from "./mysql-writes.ts";

export type MysqlOptions = {
  /** Connections at most. */
  readonly poolSize: number;
  /** How long one statement of a commit may take. */
  readonly statementTimeoutMs: number;
};

/** Inputs, results and scripts of up to 1 MiB, escaped, must fit into a packet. */
const LEAST_PACKET_BYTES = 4 * 1_024 * 1_024;
const MOST_STATEMENT_BYTES = 4 * 1_024 * 1_024;

/**
 * A server that freezes in the middle of a transaction holds its shard's row: the database ends
 * that session after this time, and a new owner can take over. Idle connections are closed before.
 */
const SESSION_WAIT_SECONDS = 15;
const IDLE_CONNECTION_MS = 10_000;
const LOCK_WAIT_SECONDS = 10;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A database that vanished without closing its connections would be waited for until TCP gives up,
 * a quarter of an hour later. One statement of a commit, or any other query (the load of a large
 * shard is the longest), is given up after these times, and its connection with it.
 */
export const STATEMENT_TIMEOUT_MS = 20_000;
const QUERY_TIMEOUT_MS = 60_000;

/** @throws DatabaseError TIMEOUT when there is no answer within `ms`; the connection is gone then. */
const answered = async <T>(
  connection: Connection,
  ms: number,
  ask: () => Promise<T>,
): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.after(ms, () => {
    connection.destroy();
    late.reject(new DatabaseError(`the database did not answer within ${ms} ms`, "TIMEOUT"));
  });
  try {
    return await Promise.race([ask(), late.promise]);
  } finally {
    cancel();
  }
};

/** The statements that make every session alike, whatever the server's configuration. */
const SESSION = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SET SESSION autocommit = 1, time_zone = '+00:00'," +
    " sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'," +
    ` wait_timeout = ${SESSION_WAIT_SECONDS}, innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
];

class MysqlClient extends Mysql2Client {
  override async acquireConnection(): Promise<unknown> {
    try {
      return await super.acquireConnection();
    } catch (cause) {
      // knex names the wait for a free connection, and gives it no code.
      if (cause instanceof Error && cause.name === "KnexTimeoutError") {
        throw new DatabaseError("no connection to the database became free in time", "TIMEOUT");
      }
      throw DatabaseError.from(cause);
    }
  }
  override async _query(connection: unknown, query: object): Promise<object> {
    return await answered(connection as Connection, QUERY_TIMEOUT_MS, async () => {
      try {
        return await super._query(connection, query);
      } catch (cause) {
        throw DatabaseError.from(cause);
      }
    });
  }
}

const query = async (connection: Connection, sql: string, ms: number): Promise<void> => {
  await answered(
    connection,
    ms,
    async () =>
      await new Promise<void>((resolve, reject) => {
        connection.query(sql, (cause) => {
          if (cause === null) resolve();
          else reject(DatabaseError.from(cause));
        });
      }),
  );
};

const execute = async (
  connection: Connection,
  sql: string,
  values: readonly Value[],
  ms: number,
): Promise<ResultSetHeader> =>
  await answered(
    connection,
    ms,
    async () =>
      await new Promise((resolve, reject) => {
        connection.execute<ResultSetHeader>(sql, [...values], (cause, result) => {
          if (cause === null) resolve(result);
          else reject(DatabaseError.from(cause));
        });
      }),
  );

/** With FOUND_ROWS, an upsert counts 1 for a row inserted, 2 for one updated: the revision always differs. */
const UPDATED = 2;

/** Of one statement: its size, and the time to its answer. */
type Bounds = { readonly mostBytes: number; readonly ms: number };

const transactionOn = (connection: Connection, { mostBytes, ms }: Bounds): Transaction => ({
  run: async (sql, values) => (await execute(connection, sql, values, ms)).affectedRows,
  write: async (write, rows) => {
    for (const some of cut(rows, mostBytes)) {
      const { affectedRows } = await execute(
        connection,
        textOf(write, some.length),
        some.flat(),
        ms,
      );
      if (write.kind === "update" && affectedRows !== UPDATED * some.length) {
        throw new DatabaseError(
          `a row of ${write.table} that is to change is not there`,
          "MISSING",
        );
      }
    }
  },
});

const inTransaction = async <T>(
  connection: Connection,
  bounds: Bounds,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> => {
  await query(connection, "START TRANSACTION", bounds.ms);
  try {
    const answer = await work(transactionOn(connection, bounds));
    await query(connection, "COMMIT", bounds.ms);
    return answer;
  } catch (cause) {
    try {
      await query(connection, "ROLLBACK", bounds.ms);
    } catch {
      // The connection is lost or in doubt; without it the database rolls back by itself.
      connection.destroy();
    }
    throw cause;
  }
};

const settingsOf = (url: string): Knex.MySql2ConnectionConfig => ({
  uri: url.replace(/^mariadb:/, "mysql:"),
  charset: "utf8mb4",
  timezone: "Z",
  // affectedRows counts rows that the condition found, as on SQLite, not rows that changed.
  flags: "FOUND_ROWS",
  connectTimeout: CONNECT_TIMEOUT_MS,
  supportBigNumbers: false,
});

type Done = (cause: unknown, connection: Connection) => void;

const makeAlike = async (connection: Connection, done: Done): Promise<void> => {
  try {
    for (const statement of SESSION) await query(connection, statement, QUERY_TIMEOUT_MS);
  } catch (cause) {
    done(cause, connection);
    return;
  }
  done(null, connection);
};

/** For each new connection of the pool. */
const prepareSession = (connection: Connection, done: Done): void => {
  void makeAlike(connection, done);
};

const largestPacket = async (builder: Knex): Promise<number> => {
  const [rows] = (await builder.raw("SELECT @@max_allowed_packet AS bytes")) as [
    { bytes: number }[],
  ];
  const bytes = rows[0]?.bytes ?? 0;
  if (bytes >= LEAST_PACKET_BYTES) return bytes;
  throw new DatabaseError(
    `max_allowed_packet of the database is ${bytes} bytes; Millrace needs at least ${LEAST_PACKET_BYTES}`,
    "PACKET_TOO_SMALL",
  );
};

/** @throws DatabaseError when the database cannot be reached */
export const openMysql = async (url: string, options: MysqlOptions): Promise<Engine> => {
  const builder = knexPackage.knex({
    client: MysqlClient,
    connection: settingsOf(url),
    compileSqlOnError: false,
    log: QUIET,
    pool: {
      min: 0,
      max: options.poolSize,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      afterCreate: prepareSession,
    },
    acquireConnectionTimeout: CONNECT_TIMEOUT_MS,
  });
  const client = builder.client as Knex.Client;
  try {
    const bounds = {
      mostBytes: Math.min(MOST_STATEMENT_BYTES, await largestPacket(builder)),
      ms: options.statementTimeoutMs,
    };
    return {
      name: "mysql",
      knex: builder,
      now: "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
      textOfBytes: (column) => builder.raw("CONVERT(?? USING utf8mb4) AS ??", [column, column]),
      indexTail: ["organization_id", "id"],
      readBy: (table, index) => builder.raw("?? FORCE INDEX (??)", [table, index]),
      alone: false,
      transaction: async (work) => {
        const connection = (await client.acquireConnection()) as Connection;
        try {
          return await inTransaction(connection, bounds, work);
        } finally {
          await client.releaseConnection(connection);
        }
      },
      snapshot: async (work) =>
        await builder.transaction(work, { isolationLevel: "repeatable read" }),
      script: async (sql) => {
        for (const statement of sql.split(";\n")) await builder.raw(statement);
      },
      close: async () => {
        await builder.destroy();
      },
    };
  } catch (cause) {
    await builder.destroy();
    throw cause;
  }
};
