import { readFile } from "node:fs/promises";

import { createCatalogStore } from "./catalog.ts";
import { createDeliveryStore } from "./deliveries.ts";
import type { Engine } from "./engine.ts";
import { type EngineOptions, isInMemory, openEngine } from "./engines/open.ts";
import { createIdentityStore } from "./identity.ts";
import { createJobReader } from "./jobs.ts";
import { createHookStore } from "./hooks.ts";
import { MIGRATIONS_TABLE, migrationNames, requireKnownSchema } from "./migrations.ts";
import { createMetricStore } from "./points.ts";
import { createScheduleStore } from "./schedules.ts";
import { createSecretStore, createServerStore } from "./servers.ts";
import { createShardStore } from "./shards.ts";
import type { Store } from "./store.ts";
import { createWorkflowReader } from "./workflow-reader.ts";

export type StoreOptions = EngineOptions & {
  /** Of a database in memory, which this call makes. Default 1. */
  readonly shards?: number;
};

const values = (rows: readonly (string | number)[]): string =>
  rows.map((row) => `(${row})`).join(", ");

/** What `migrate up` would have made of an empty SQLite database, in one go; tests compare them. */
export const readSchema = async (): Promise<string> => {
  const tables = await readFile(new URL("schema/sqlite.sql", import.meta.url), "utf8");
  const names = await migrationNames();
  const applied = names.map((name) => `'${name}', 1, 0`);
  return (
    `${tables}\n` +
    `INSERT INTO ${MIGRATIONS_TABLE} (name, batch, migration_time) VALUES ${values(applied)};\n` +
    `INSERT INTO ${MIGRATIONS_TABLE}_lock (is_locked) VALUES (0);\n`
  );
};

let schema: Promise<string> | undefined;

/** A database in memory is new each time. Takes about a millisecond, so that simulations can have thousands. */
const makeTables = async (engine: Engine, shards: number): Promise<void> => {
  schema ??= readSchema();
  await engine.script(await schema);
  await engine.script(
    `INSERT INTO shards (id) VALUES ${values(Array.from({ length: shards }, (_, id) => id))}`,
  );
};

const storeOn = (engine: Engine): Store => ({
  engine: engine.name,
  shards: createShardStore(engine),
  jobs: createJobReader(engine),
  workflows: createWorkflowReader(engine),
  identity: createIdentityStore(engine),
  catalog: createCatalogStore(engine),
  schedules: createScheduleStore(engine),
  hooks: createHookStore(engine),
  deliveries: createDeliveryStore(engine),
  metrics: createMetricStore(engine),
  servers: createServerStore(engine),
  secrets: createSecretStore(engine),
  ping: async () => {
    await engine.knex.raw("SELECT 1");
  },
  close: async () => {
    await engine.close();
  },
});

/**
 * Opens a database that has been migrated; `sqlite::memory:` is made on the spot.
 *
 * @param url `sqlite:<path>`, `sqlite::memory:`, `mysql://…` or `mariadb://…`
 * @throws UnknownSchema when migrations are missing or unknown; DatabaseInUse when `exclusive` and
 * another server has the file; DatabaseError when the database cannot be reached
 */
export const openStore = async (url: string, options: StoreOptions = {}): Promise<Store> => {
  const engine = await openEngine(url, options);
  try {
    if (isInMemory(url)) await makeTables(engine, options.shards ?? 1);
    else await requireKnownSchema(engine.knex);
    return storeOn(engine);
  } catch (cause) {
    await engine.close();
    throw cause;
  }
};
