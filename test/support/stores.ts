/** Stores for tests: one database for each `describe`, emptied before each test. */
import { afterAll, beforeAll, beforeEach } from "vitest";

import { openStore, type StoreOptions } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import type { EngineName, TestDatabase } from "./databases.ts";
import { createMigrated } from "./templates.ts";

const SHARDS = 4;

const TABLES = [
  "job_labels",
  "job_specs",
  "job_attempts",
  "job_output",
  "job_steps",
  "job_requests",
  "workflow_steps",
  "job_edges",
  "workflows",
  "unfinished",
  "schedules",
  "audit_log",
  "jobs",
  "scripts",
  "servers",
  "tokens",
  "user_attributes",
  "audit_log",
  "users",
  "organizations",
  "secrets",
  "metric_points",
  "metric_rollups",
  "metric_grants",
];

export type TestStore = {
  readonly store: Store;
  readonly database: TestDatabase;
  /** Another store on the same database, closed after the tests. */
  another(options?: StoreOptions): Promise<Store>;
};

/** A migrated store with four shards and nothing else, new for each test of this `describe`. */
export const withStore = (engine: EngineName): TestStore => {
  let database: TestDatabase | undefined;
  const open: Store[] = [];
  const opened = async (options: StoreOptions = {}): Promise<Store> => {
    if (database === undefined) throw new Error("there is no database before the tests start");
    const store = await openStore(database.url, options);
    open.push(store);
    return store;
  };

  beforeAll(async () => {
    database = await createMigrated(engine, SHARDS);
    await opened();
  });
  beforeEach(async () => {
    await database?.execute(
      ...TABLES.map((table) => `DELETE FROM ${table}`),
      "UPDATE shards SET epoch = 0, revision = 0, compacted_revision = 0, owner = '', lease_until = 0",
    );
  });
  afterAll(async () => {
    for (const store of open.splice(0)) await store.close();
    await database?.drop();
  });

  const present = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("there is no store before the tests start");
    return value;
  };
  return {
    get store() {
      return present(open[0]);
    },
    get database() {
      return present(database);
    },
    another: opened,
  };
};
