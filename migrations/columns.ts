/**
 * The kinds of columns that all tables are made of, on both engines. Migrations that have landed
 * depend on this file: add to it, never change what is here.
 */
import type { Knex } from "knex";

type Column = (name: string) => Knex.ColumnBuilder;
type ColumnOf = (name: string, length: number) => Knex.ColumnBuilder;

/** Each makes one column, NOT NULL unless it is told `nullable()`. */
export type Columns = {
  /** An id of ours: ASCII, compared byte by byte. */
  readonly ascii: ColumnOf;
  /** At most `length` characters. */
  readonly text: ColumnOf;
  /**
   * Text in a key that a caller chose, at most `length` characters: bytes on MySQL, because every
   * text collation that MySQL and MariaDB share takes "a" and "a " for equal.
   */
  readonly key: ColumnOf;
  /** Up to 16 MiB. */
  readonly long: Column;
  /** A count, or epoch milliseconds. */
  readonly big: Column;
  readonly integer: Column;
  readonly small: Column;
  readonly real: Column;
};

const ON_MYSQL = {
  ascii: (length: number) => `varchar(${length}) character set ascii collate ascii_bin`,
  text: (length: number) => `varchar(${length})`,
  key: (length: number) => `varbinary(${4 * length})`,
  long: "mediumtext",
  big: "bigint",
  integer: "int",
  small: "smallint",
  real: "double",
};

const ON_SQLITE: typeof ON_MYSQL = {
  ascii: () => "text",
  text: () => "text",
  key: () => "text",
  long: "text",
  big: "integer",
  integer: "integer",
  small: "integer",
  real: "real",
};

const isMysql = (knex: Knex): boolean =>
  (knex.client as { readonly dialect: string }).dialect === "mysql";

const columnsOf = (knex: Knex, table: Knex.CreateTableBuilder): Columns => {
  const types = isMysql(knex) ? ON_MYSQL : ON_SQLITE;
  const make = (column: string, type: string): Knex.ColumnBuilder =>
    table.specificType(column, type).notNullable();
  return {
    ascii: (column, length) => make(column, types.ascii(length)),
    text: (column, length) => make(column, types.text(length)),
    key: (column, length) => make(column, types.key(length)),
    long: (column) => make(column, types.long),
    big: (column) => make(column, types.big),
    integer: (column) => make(column, types.integer),
    small: (column) => make(column, types.small),
    real: (column) => make(column, types.real),
  };
};

export const createTable = async (
  knex: Knex,
  name: string,
  define: (columns: Columns, table: Knex.CreateTableBuilder) => void,
): Promise<void> => {
  await knex.schema.createTable(name, (table) => {
    if (isMysql(knex)) {
      table.engine("InnoDB");
      table.charset("utf8mb4");
      table.collate("utf8mb4_bin");
    }
    define(columnsOf(knex, table), table);
  });
};

/** Adds columns to a table; each is NOT NULL with a default, unless it is told `nullable()`. */
export const addColumns = async (
  knex: Knex,
  name: string,
  define: (columns: Columns, table: Knex.AlterTableBuilder) => void,
): Promise<void> => {
  await knex.schema.alterTable(name, (table) => {
    define(columnsOf(knex, table), table);
  });
};

/** In SQL that both engines share: on SQLite knex would copy the whole table. */
export const dropColumns = async (
  knex: Knex,
  name: string,
  columns: readonly string[],
): Promise<void> => {
  for (const column of columns) await knex.raw(`ALTER TABLE ${name} DROP COLUMN ${column}`);
};
