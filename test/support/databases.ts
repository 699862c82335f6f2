/** Fresh databases of both engines, for tests and benchmarks. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { createConnection } from "mysql2/promise";

export const ENGINES = ["sqlite", "mysql"] as const;
export type EngineName = (typeof ENGINES)[number];

export type TestDatabase = {
  readonly engine: EngineName;
  readonly url: string;
  /** Runs statements behind the store's back. */
  execute(...statements: readonly string[]): Promise<void>;
  query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  drop(): Promise<void>;
};

const createSqlite = async (): Promise<TestDatabase> => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-sqlite-"));
  const path = join(folder, "millrace.db");
  const withDatabase = async <T>(use: (database: DatabaseSync) => T): Promise<T> => {
    const database = new DatabaseSync(path, { timeout: 5_000 });
    try {
      return await Promise.resolve(use(database));
    } finally {
      database.close();
    }
  };
  return {
    engine: "sqlite",
    url: `sqlite:${path}`,
    execute: async (...statements) => {
      await withDatabase((database) => {
        for (const statement of statements) database.exec(statement);
      });
    },
    query: async (statement) => await withDatabase((database) => database.prepare(statement).all()),
    drop: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const createMysql = async (serverUrl: string): Promise<TestDatabase> => {
  const name = `millrace_${randomBytes(6).toString("hex")}`;
  const url = new URL(serverUrl.replace(/^mariadb:/, "mysql:"));
  url.pathname = name;
  const query = async (
    uri: string,
    statements: readonly string[],
  ): Promise<Readonly<Record<string, unknown>>[]> => {
    const connection = await createConnection({ uri });
    try {
      let rows: unknown = [];
      for (const statement of statements) [rows] = await connection.query(statement);
      return rows as Record<string, unknown>[];
    } finally {
      await connection.end();
    }
  };
  await query(serverUrl, [`CREATE DATABASE ${name}`]);
  return {
    engine: "mysql",
    url: url.href,
    execute: async (...statements) => {
      await query(url.href, statements);
    },
    query: async (statement) => await query(url.href, [statement]),
    drop: async () => {
      await query(serverUrl, [`DROP DATABASE ${name}`]);
    },
  };
};

/** An empty database without tables. `serverUrl` is what `startMariadb` gave. */
export const createDatabase = async (
  engine: EngineName,
  serverUrl: string,
): Promise<TestDatabase> =>
  engine === "sqlite" ? await createSqlite() : await createMysql(serverUrl);
