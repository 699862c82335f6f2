import { mkdir } from "node:fs/promises";

import type { ServerConfig } from "../config.ts";
import type { Log } from "../runtime/log.ts";
import { migrateUp } from "../store/migrate.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";

const IN_MEMORY = "sqlite::memory:";

/** An embedded database is the server's own; of a shared one the schema is the operator's decision. */
export const openDatabase = async (
  { databaseUrl, dataDir }: Pick<ServerConfig, "databaseUrl" | "dataDir">,
  log: Log,
): Promise<Store> => {
  if (databaseUrl.startsWith("sqlite:") && databaseUrl !== IN_MEMORY) {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const migrations = await migrateUp(databaseUrl);
    if (migrations.length > 0) log.info({ migrations }, "the database was brought up to date");
  }
  return await openStore(databaseUrl, { exclusive: true });
};
