import type { Engine } from "../engine.ts";
import { openMysql, STATEMENT_TIMEOUT_MS } from "./mysql.ts";
import { IN_MEMORY, openSqlite } from "./sqlite.ts";

export type EngineOptions = {
  /**
   * SQLite: hold the file for this server alone; leases of earlier servers may be taken at once.
   * Without effect on MySQL.
   */
  readonly exclusive?: boolean;
  /** MySQL: connections at most. Default 16. */
  readonly poolSize?: number;
  /** MySQL: how long one statement of a commit may take. Default 20 s. */
  readonly statementTimeoutMs?: number;
  /** SQLite: stands in for the database's clock. For simulations. */
  readonly now?: () => number;
};

const DEFAULT_POOL_SIZE = 16;
const SQLITE = /^sqlite:(?:\/\/)?(?<path>.+)$/;
const MYSQL = /^(?:mysql|mariadb):\/\//;

export const isInMemory = (url: string): boolean =>
  SQLITE.exec(url)?.groups?.["path"] === IN_MEMORY;

/**
 * @param url `sqlite:<path>`, `sqlite::memory:`, `mysql://…` or `mariadb://…`
 * @throws RangeError for any other; DatabaseInUse; DatabaseError
 */
export const openEngine = async (url: string, options: EngineOptions): Promise<Engine> => {
  const path = SQLITE.exec(url)?.groups?.["path"];
  if (path !== undefined) {
    return openSqlite(path, { exclusive: options.exclusive ?? false, now: options.now });
  }
  if (MYSQL.test(url)) {
    return await openMysql(url, {
      poolSize: options.poolSize ?? DEFAULT_POOL_SIZE,
      statementTimeoutMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    });
  }
  throw new RangeError(
    "A database URL looks like sqlite:data/millrace.db or mysql://user:password@host:3306/millrace",
  );
};
