/** Forward, back, and where a database stands. */
import type { Knex } from "knex";

import { sleep, systemClock } from "../runtime/clock.ts";
import type { Engine } from "./engine.ts";
import { openEngine } from "./engines/open.ts";
import { migrationSource, type MigrationStatus, MIGRATIONS_TABLE, statusOf } from "./migrations.ts";

export type MigrateOptions = {
  /** How many shards a new database gets, forever. Default: 1 on SQLite, 16 on MySQL. */
  readonly shards?: number;
  /** How long to wait for another `migrate` that is under way. Default: 30 s. */
  readonly lockWaitMs?: number;
};

const DEFAULT_SHARDS = { sqlite: 1, mysql: 16 } as const;
const LOCK_WAIT_MS = 30_000;
const LOCK_RETRY_MS = 100;

/** Another migration runs, or one was killed and left its lock behind. */
export class MigrationLocked extends Error {
  override readonly name = "MigrationLocked";
  constructor() {
    super(
      "Another migration of this database is under way, or one was killed. " +
        "If you are sure that none runs, free the lock with `millrace migrate unlock`, then try again.",
    );
  }
}

const LOCK_TABLE = `${MIGRATIONS_TABLE}_lock`;
const settings = { tableName: MIGRATIONS_TABLE, migrationSource };

/** Runs under the migration lock, so that two first migrations cannot both make shards. */
const seedShards = async (knex: Knex, shards: number): Promise<void> => {
  if (!(await knex.schema.hasTable("shards"))) return;
  if ((await knex("shards").select("id").limit(1)).length > 0) return;
  await knex("shards").insert(Array.from({ length: shards }, (_, id) => ({ id })));
};

/** Two that start on an empty database may both try to make knex's own tables. */
const isRace = (cause: unknown): boolean =>
  cause instanceof Error &&
  (cause.name === "MigrationLocked" || /already exists/.test(cause.message));

/**
 * knex makes its lock, one row, by looking first and inserting second: of several that start on an
 * empty database each would insert one, and the lock could never be taken. Ours has a fixed key.
 */
const makeLock = async (knex: Knex): Promise<void> => {
  if (!(await knex.schema.hasTable(LOCK_TABLE))) {
    await knex.schema.createTable(LOCK_TABLE, (table) => {
      table.increments("index").primary();
      table.integer("is_locked");
    });
  }
  if ((await knex(LOCK_TABLE).select("*")).length > 0) return;
  await knex(LOCK_TABLE).insert({ index: 1, is_locked: 0 }).onConflict("index").merge(["index"]);
};

const whenUnlocked = async <T>(waitMs: number, migrate: () => Promise<T>): Promise<T> => {
  const deadline = systemClock.monotonic() + waitMs;
  for (;;) {
    try {
      return await migrate();
    } catch (cause) {
      if (!isRace(cause)) throw cause;
      if (systemClock.monotonic() > deadline) throw new MigrationLocked();
      await sleep(systemClock, LOCK_RETRY_MS);
    }
  }
};

const withEngine = async <T>(url: string, work: (engine: Engine) => Promise<T>): Promise<T> => {
  const engine = await openEngine(url, {});
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
};

/**
 * Applies all that is pending; safe when several processes do it at once.
 * @returns the names of the migrations that this call applied
 * @throws MigrationLocked
 */
export const migrateUp = async (url: string, options: MigrateOptions = {}): Promise<string[]> =>
  await withEngine(url, async ({ name, knex }) => {
    const shards = options.shards ?? DEFAULT_SHARDS[name];
    return await whenUnlocked(options.lockWaitMs ?? LOCK_WAIT_MS, async () => {
      await makeLock(knex);
      const [, applied] = (await knex.migrate.latest({
        ...settings,
        afterAll: async (inLock) => {
          await seedShards(inLock, shards);
        },
      })) as [number, string[]];
      return applied;
    });
  });

/**
 * Takes the newest migration back, with the data in its tables.
 * @returns its name; null if there is none left
 * @throws MigrationLocked
 */
export const migrateDown = async (
  url: string,
  options: Pick<MigrateOptions, "lockWaitMs"> = {},
): Promise<string | null> =>
  await withEngine(
    url,
    async ({ knex }) =>
      await whenUnlocked(options.lockWaitMs ?? LOCK_WAIT_MS, async () => {
        const [, reverted] = (await knex.migrate.down(settings)) as [number, string[]];
        return reverted[0] ?? null;
      }),
  );

/** Changes nothing. */
export const migrationStatus = async (url: string): Promise<MigrationStatus> =>
  await withEngine(url, async ({ knex }) => await statusOf(knex));

/** Frees the lock of a migration that was killed. */
export const unlockMigrations = async (url: string): Promise<void> => {
  await withEngine(url, async ({ knex }) => {
    await makeLock(knex);
    await knex(LOCK_TABLE).update({ is_locked: 0 });
  });
};
