import { mkdir } from "node:fs/promises";

import { type Environment, loadConfig, type ServerConfig } from "../config.ts";
import type { Store } from "../store/store.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CliFailure } from "./failure.ts";

export type DatabaseOptions = { readonly database?: string; readonly dataDir?: string };

/** Errors whose own words tell what to do. By name, so that no command loads SQL to tell them. */
const KNOWN: Readonly<Record<string, ExitCode>> = {
  DatabaseError: EXIT.unreachable,
  DatabaseInUse: EXIT.refused,
  FolderFault: EXIT.usage,
  TypesRefused: EXIT.usage,
  MigrationLocked: EXIT.refused,
  UnknownSchema: EXIT.refused,
};

const NETWORK: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "ETIMEDOUT",
]);

const codeOf = (error: Error): string =>
  "code" in error && typeof error.code === "string" ? error.code : "";

/** What the database or the operating system refuses at the start, as the command line tells it. */
export const startFailure = (caught: unknown): unknown => {
  if (!(caught instanceof Error)) return caught;
  if (NETWORK.has(codeOf(caught))) {
    const told = `The database cannot be reached: ${caught.message || codeOf(caught)}.`;
    return new CliFailure(EXIT.unreachable, told, {
      next: "Does it run there? MILLRACE_DATABASE_URL or MYSQL_* name it; --database names another.",
      cause: caught,
    });
  }
  const exitCode = KNOWN[caught.name];
  if (exitCode !== undefined) {
    const shown = codeOf(caught) === "" ? caught.message : `${caught.message} (${codeOf(caught)})`;
    const told = caught.name === "DatabaseError" ? `The database cannot be used: ${shown}` : shown;
    return new CliFailure(exitCode, told, { cause: caught });
  }
  if (codeOf(caught) === "EADDRINUSE") {
    return new CliFailure(EXIT.refused, `A port is taken: ${caught.message}.`, {
      next: "Does another Millrace run? MILLRACE_LISTEN and MILLRACE_INTERNAL_LISTEN choose others.",
      cause: caught,
    });
  }
  return caught;
};

/** The environment, with what the command line says about the database put in. */
export const databaseConfig = (options: DatabaseOptions, environment: Environment): ServerConfig =>
  loadConfig({
    ...environment,
    ...(options.dataDir === undefined ? {} : { MILLRACE_DATA_DIR: options.dataDir }),
    ...(options.database === undefined ? {} : { MILLRACE_DATABASE_URL: options.database }),
  });

/** A database in a file is brought up to date by whoever opens it first, as the server does. */
const prepareFile = async (config: ServerConfig): Promise<void> => {
  if (!config.databaseUrl.startsWith("sqlite:")) return;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const { migrateUp } = await import("../store/migrate.ts");
  await migrateUp(config.databaseUrl);
};

/** Opens the database beside a server that may be running on it. @throws CliFailure */
export const withStore = async <T>(
  options: DatabaseOptions,
  environment: Environment,
  work: (store: Store) => Promise<T>,
): Promise<T> => {
  const config = databaseConfig(options, environment);
  try {
    await prepareFile(config);
    const { openStore } = await import("../store/open.ts");
    const store = await openStore(config.databaseUrl);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } catch (caught) {
    throw startFailure(caught);
  }
};
