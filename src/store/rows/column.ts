/** Between rows of the domain and columns of the database. */
import type { DatabaseRow, Value, Write } from "../engine.ts";
import type { ShardId } from "../store.ts";

/** Where a column's value comes from. */
export type Column<Row> = readonly [name: string, valueOf: (row: Row) => Value];

/** A write with the values that it takes. The shard's id is the first column of all job data. */
export type Binding<Row> = {
  readonly write: Write;
  readonly values: (shardId: ShardId, row: Row) => readonly Value[];
};

export const binding = <Row>(
  table: string,
  kind: Write["kind"],
  key: readonly Column<Row>[],
  rest: readonly Column<Row>[],
): Binding<Row> => {
  const columns = [...key, ...rest];
  return {
    write: {
      table,
      kind,
      key: ["shard_id", ...key.map(([name]) => name)],
      columns: ["shard_id", ...columns.map(([name]) => name)],
    },
    values: (shardId, row) => {
      const values: Value[] = [shardId];
      for (const [, valueOf] of columns) values.push(valueOf(row));
      return values;
    },
  };
};

const wrong = (name: string): TypeError =>
  new TypeError(`the database answered with a wrong type for column ${name}`);

export const textOf = (row: DatabaseRow, name: string): string => {
  const value = row[name];
  if (typeof value !== "string") throw wrong(name);
  return value;
};

export const textOrNull = (row: DatabaseRow, name: string): string | null =>
  row[name] === null ? null : textOf(row, name);

export const numberOf = (row: DatabaseRow, name: string): number => {
  const value = row[name];
  if (typeof value !== "number") throw wrong(name);
  return value;
};

export const numberOrNull = (row: DatabaseRow, name: string): number | null =>
  row[name] === null ? null : numberOf(row, name);
