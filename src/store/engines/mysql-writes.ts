/**
 * How many rows go into one statement, and the statements themselves.
 *
 * Prepared statements of many rows, because that was the fastest of what mysql2 can send. Rows per
 * second of one connection, MariaDB 10.11, full durability, client beside the server on 2 cores
 * (bench/store-statements.ts, best of 8):
 *   inserts: prepared 52 k · text escaped by the client 51 k · one JSON parameter 34 k
 *   updates: prepared upsert 22 k · UPDATE … JOIN (SELECT … UNION ALL …) 19 k ·
 *            UPDATE … JOIN JSON_TABLE 16 k · upsert as text 15 k · one prepared UPDATE a row 3 k
 */
import type { Value, Write } from "../engine.ts";

/** Sizes are powers of two, so that few statements are prepared: 8 for each kind of write. */
const MOST_ROWS = 128;

type Row = readonly Value[];

/** At least the bytes that the row takes in a packet. A UTF-16 unit takes up to three. */
const bytesOf = (row: Row): number => {
  let bytes = 0;
  for (const value of row) bytes += typeof value === "string" ? 9 + 3 * value.length : 9;
  return bytes;
};

const largestPowerOfTwo = (limit: number): number => 2 ** Math.floor(Math.log2(limit));

/** Cuts rows into statements of at most `mostBytes`; a row that is longer goes alone. */
export function* cut(rows: readonly Row[], mostBytes: number): Generator<readonly Row[]> {
  let start = 0;
  while (start < rows.length) {
    let end = start;
    let bytes = 0;
    for (const row of rows.slice(start, start + MOST_ROWS)) {
      bytes += bytesOf(row);
      if (end > start && bytes > mostBytes) break;
      end += 1;
    }
    const size = largestPowerOfTwo(end - start);
    yield rows.slice(start, start + size);
    start += size;
  }
}

const tailOf = ({ key, columns, kind }: Write): string => {
  switch (kind) {
    case "insert":
    case "delete":
      return "";
    // INSERT IGNORE would also turn real errors into warnings.
    case "insert-missing":
      return ` ON DUPLICATE KEY UPDATE ${key[0]} = ${key[0]}`;
    // By primary key: WHERE id IN (…) may be planned as a scan, which locks what it passes.
    case "update":
    case "upsert":
      return ` ON DUPLICATE KEY UPDATE ${columns
        .slice(key.length)
        .map((column) => `${column} = VALUES(${column})`)
        .join(", ")}`;
  }
};

const insertText = (write: Write, rows: number): string => {
  const row = `(${write.columns.map(() => "?").join(", ")})`;
  const values = Array.from({ length: rows }, () => row).join(", ");
  return `INSERT INTO ${write.table} (${write.columns.join(", ")}) VALUES ${values}${tailOf(write)}`;
};

/** Each alternative is a range of the key; of `(a, b) IN (…)` MariaDB makes a scan. */
const deleteText = ({ table, columns }: Write, rows: number): string => {
  const row = `(${columns.map((column) => `${column} = ?`).join(" AND ")})`;
  return `DELETE FROM ${table} WHERE ${Array.from({ length: rows }, () => row).join(" OR ")}`;
};

const texts = new WeakMap<Write, Map<number, string>>();

/** The statement for `rows` rows. */
export const textOf = (write: Write, rows: number): string => {
  const sizes = texts.get(write) ?? new Map<number, string>();
  texts.set(write, sizes);
  let text = sizes.get(rows);
  if (text === undefined) {
    text = write.kind === "delete" ? deleteText(write, rows) : insertText(write, rows);
    sizes.set(rows, text);
  }
  return text;
};
