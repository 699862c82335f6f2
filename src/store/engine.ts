/** What the two engines have in common. All that differs between them is behind this, in engines/. */
import type { Knex } from "knex";

/** What a column holds. Texts are Unicode, numbers are integers below 2^53 or doubles. */
export type Value = string | number | null;
export type DatabaseRow = Readonly<Record<string, Value>>;

/** A way to write many rows of one table: SQL that is made once and prepared once. */
export type Write = {
  readonly table: string;
  /** Of the primary key: the first of `columns`. */
  readonly key: readonly string[];
  readonly columns: readonly string[];
  /**
   * `insert`: none of the rows may be there. `insert-missing`: rows that are there stay as they are.
   * `update`: all of them must be there; every column but the key is set. `upsert`: the one or the
   * other. `delete`: there are no columns but the key, of which a beginning is enough.
   */
  readonly kind: "insert" | "insert-missing" | "update" | "upsert" | "delete";
};

/** One transaction on one connection. */
export interface Transaction {
  /** Answers with the number of rows that the condition found, changed or not. */
  run(sql: string, values: readonly Value[]): Promise<number>;
  /** Values are in the order of the write's columns; rows are sorted by key. */
  write(write: Write, rows: readonly (readonly Value[])[]): Promise<void>;
}

export interface Engine {
  readonly name: "sqlite" | "mysql";
  /** For everything that need not be fast. */
  readonly knex: Knex;
  /** SQL for the database's clock, in epoch milliseconds. */
  readonly now: string;
  /** A `key` column (migrations/columns.ts) as text. */
  textOfBytes(column: string): Knex.Raw;
  /** Columns by which the equal entries of a secondary index are in order: pages by them need no sorting. */
  readonly indexTail: readonly string[];
  /** A table to be read by that index, where the engine would guess otherwise. */
  readBy(table: string, index: string): Knex.Raw;
  /** A lease of another owner may be taken at once: the lock on the file proves that it is dead. */
  readonly alone: boolean;
  /** Commits when `work` resolves, rolls back when it rejects. Hot: passes by the query builder. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** All reads of `work` see the same commit. */
  snapshot<T>(work: (knex: Knex) => Promise<T>): Promise<T>;
  /** Runs several statements of our own making. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** knex tells on the console what it also throws. */
const nothing = (): void => {};
export const QUIET = { debug: nothing, warn: nothing, error: nothing, deprecate: nothing };

/**
 * The database refused or could not be reached. The driver's own error is not kept: it carries the
 * statement with all of its values, which are the callers' data and up to megabytes long.
 */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** The driver's code, such as ER_LOCK_DEADLOCK; empty if it gave none. */
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }

  /** Nothing is wrong with what was asked: the same may work in a moment. */
  get isTemporary(): boolean {
    return TEMPORARY.test(this.code);
  }

  /** A row with such a unique key is there already. */
  get isDuplicate(): boolean {
    return this.code === "ER_DUP_ENTRY" || this.code === DUPLICATE_ON_SQLITE;
  }

  static from(caught: unknown): DatabaseError {
    if (caught instanceof DatabaseError) return caught;
    const message = caught instanceof Error ? caught.message : String(caught);
    return new DatabaseError(message.slice(0, LONGEST_MESSAGE), codeOf(caught));
  }
}

/** SQLite tells it in the extended code alone. */
export const DUPLICATE_ON_SQLITE = "SQLITE_DUPLICATE";

const LONGEST_MESSAGE = 500;

/** Lost and refused connections, locks, deadlocks, a server that stops, a full or failing disk. */
const TEMPORARY = new RegExp(
  "^(E[A-Z]+|PROTOCOL_[A-Z_]+|TIMEOUT|BUSY|SQLITE_(5|6|10|13)|" +
    "ER_(LOCK_DEADLOCK|LOCK_WAIT_TIMEOUT|SERVER_SHUTDOWN|NORMAL_SHUTDOWN|CON_COUNT_ERROR|" +
    "QUERY_INTERRUPTED|CONNECTION_KILLED|TOO_MANY_USER_CONNECTIONS|DISK_FULL|RECORD_FILE_FULL|" +
    "UNKNOWN_COM_ERROR|OPTION_PREVENTS_STATEMENT|NET_READ_ERROR))$",
);

const codeOf = (caught: unknown): string => {
  if (typeof caught !== "object" || caught === null || !("code" in caught)) return "";
  return String(caught.code);
};
