import type { Knex } from "knex";

import type { DatabaseRow } from "./engine.ts";
import type { PageOf } from "./store.ts";

type Key = Readonly<Record<string, string>>;

/** The one row with these columns; null if there is none. */
export const firstOf = async <Row>(
  knex: Knex,
  table: string,
  key: Key,
  rowOf: (row: DatabaseRow) => Row,
): Promise<Row | null> => {
  const row = (await knex(table).where(key).first()) as DatabaseRow | undefined;
  return row === undefined ? null : rowOf(row);
};

/** By id, ascending. */
export const pageOf = async <Row>(
  knex: Knex,
  table: string,
  key: Key,
  { after, limit }: PageOf<string>,
  rowOf: (row: DatabaseRow) => Row,
): Promise<Row[]> => {
  const query = knex(table).where(key).orderBy("id").limit(limit);
  if (after !== null) void query.where("id", ">", after);
  return ((await query) as DatabaseRow[]).map(rowOf);
};
