/**
 * Node's own SQLite in the shape in which knex's better-sqlite3 dialect wants it, as far as that
 * dialect asks. Statements are prepared once and kept.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";

import { LRUCache } from "lru-cache";

import { BUSY } from "./sqlite-busy.ts";
import { DatabaseError, type DatabaseRow, DUPLICATE_ON_SQLITE, type Value } from "../engine.ts";

const KEPT_STATEMENTS = 200;
/** Only to open the file; afterwards see sqlite-busy.ts. */
const OPEN_TIMEOUT_MS = 5_000;
const SQLITE_BUSY = 5;
/** SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE. */
const DUPLICATES: ReadonlySet<number> = new Set([1_555, 2_067]);

/**
 * FULL: in WAL mode, NORMAL may lose the last commits when the machine loses power. A cache of
 * 64 MiB, and a log that is copied back every 40 MiB instead of every 4: a fifth less CPU and half
 * the time for batches of 1,000 jobs, of which each touches most of the pages of the one before.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 0;
  PRAGMA cache_size = -65536;
  PRAGMA wal_autocheckpoint = 10000;
`;

type RunResult = { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };

const translated = <T>(call: () => T): T => {
  try {
    return call();
  } catch (cause) {
    throw errorOf(cause);
  }
};

const errorOf = (cause: unknown): DatabaseError => {
  const error = DatabaseError.from(cause);
  if (!(cause instanceof Error) || !("errcode" in cause)) return error;
  if (DUPLICATES.has(Number(cause.errcode))) {
    return new DatabaseError(error.message, DUPLICATE_ON_SQLITE);
  }
  // The lowest byte is the primary code: SQLITE_BUSY_SNAPSHOT and others are kinds of SQLITE_BUSY.
  const primary = Number(cause.errcode) & 0xff;
  return new DatabaseError(error.message, primary === SQLITE_BUSY ? BUSY : `SQLITE_${primary}`);
};

export class SqliteStatement {
  /** Whether the statement answers with rows. */
  readonly reader: boolean;
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(values: readonly Value[] = []): DatabaseRow[] {
    return translated(() => this.#statement.all(...values) as DatabaseRow[]);
  }

  run(values: readonly Value[] = []): RunResult {
    return translated(() => this.#statement.run(...values));
  }

  iterate(values: readonly Value[] = []): Iterable<DatabaseRow> {
    return this.#statement.iterate(...values) as Iterable<DatabaseRow>;
  }
}

export class SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new LRUCache<string, SqliteStatement>({ max: KEPT_STATEMENTS });

  constructor(path: string, now?: () => number) {
    this.#database = new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS });
    this.#database.exec(PRAGMAS);
    if (now !== undefined) this.#database.function("millrace_now", now);
  }

  prepare(sql: string): SqliteStatement {
    // Deferred transactions fail with SQLITE_BUSY, without waiting, when they turn from reading to
    // writing while another process writes. knex knows no other way to begin one.
    const text = sql === "BEGIN;" ? "BEGIN IMMEDIATE" : sql;
    const kept = this.#statements.get(text);
    if (kept !== undefined) return kept;
    const statement = new SqliteStatement(translated(() => this.#database.prepare(text)));
    this.#statements.set(text, statement);
    return statement;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs a script of several statements. */
  exec(sql: string): void {
    translated(() => {
      this.#database.exec(sql);
    });
  }

  close(): void {
    this.#database.close();
  }
}
