/** The schema of a database as text, the same for MySQL and MariaDB of all versions. */
import type { TestDatabase } from "./databases.ts";

const text = (value: unknown): string => String(value);

/** Display widths of integers, and the quotes around defaults, differ between versions. */
const typeOf = (type: unknown): string => text(type).replace(/int\(\d+\)/, "int");
const defaultOf = (value: unknown): string =>
  value === null || value === "NULL" ? "" : ` default '${text(value).replace(/^'(.*)'$/, "$1")}'`;

const describeMysql = async (database: TestDatabase): Promise<string> => {
  const columns = await database.query(
    "SELECT table_name AS t, column_name AS name, column_type AS type, is_nullable AS nullable, " +
      "column_default AS fallback, collation_name AS collation FROM information_schema.columns " +
      "WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position",
  );
  const indexes = await database.query(
    "SELECT table_name AS t, index_name AS name, MIN(non_unique) AS shared, " +
      "GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', ') AS columns " +
      "FROM information_schema.statistics WHERE table_schema = DATABASE() " +
      "GROUP BY table_name, index_name ORDER BY table_name, index_name",
  );
  const lines = new Map<string, string[]>();
  const add = (table: unknown, line: string): void => {
    const name = text(table);
    // knex's own tables have the collation of the database.
    if (!name.startsWith("knex_")) lines.set(name, [...(lines.get(name) ?? []), `  ${line}`]);
  };
  for (const { t, name, type, nullable, fallback, collation } of columns) {
    const collate = collation === null ? "" : ` ${text(collation)}`;
    const required = nullable === "NO" ? " not null" : "";
    add(t, `${text(name)} ${typeOf(type)}${collate}${required}${defaultOf(fallback)}`);
  }
  for (const { t, name, shared, columns: of } of indexes) {
    add(t, `${Number(shared) === 0 ? "unique" : "index"} ${text(name)} (${text(of)})`);
  }
  return [...lines].map(([table, of]) => `${table}\n${of.join("\n")}\n`).join("\n");
};

/** Statements, so that a database in memory can be made from them. */
const describeSqlite = async (database: TestDatabase): Promise<string> => {
  const rows = await database.query(
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  return `${rows.map(({ sql }) => text(sql)).join(";\n")};\n`;
};

export const describeSchema = async (database: TestDatabase): Promise<string> =>
  database.engine === "sqlite" ? await describeSqlite(database) : await describeMysql(database);
