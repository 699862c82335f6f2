/**
 * What the store does by itself: durable batches of one shard's owner, and of four at once.
 * `node bench/store.ts` prints rows per second for SQLite and MariaDB, with full durability and the
 * client beside the server. Statements that were tried and not taken: bench/store-statements.ts.
 */
import {
  SCRIPT,
  type JobId,
  type OrganizationId,
  type RunnerId,
  type ScriptHash,
} from "../src/jobs/ids.ts";
import type { AttemptRow, JobRow, SpecRow } from "../src/jobs/job.ts";
import { freshJob } from "../src/jobs/fresh-job.ts";
import { NO_PROGRESS } from "../src/jobs/job.ts";
import { DEFAULT_RETRY_POLICY } from "../src/jobs/retry.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { migrateUp } from "../src/store/migrate.ts";
import { openStore } from "../src/store/open.ts";
import { NO_CHANGES, type ShardChanges, type Store } from "../src/store/store.ts";
import { createDatabase, ENGINES } from "../test/support/databases.ts";
import { startMariadb } from "../test/support/mariadb.ts";

const BATCH = 1_000;
const BATCHES = 40;
const OWNERS = 4;
const SINGLES = 500;
const INPUT = JSON.stringify({
  to: "someone@example.org",
  subject: "hello ü",
  text: "x".repeat(80),
});
const RUNNER = systemRandom.uuid() as RunnerId;

const fresh = (organizationId: OrganizationId, now: number): JobRow => ({
  ...freshJob({
    organizationId,
    id: systemRandom.uuid() as JobId,
    name: "send a mail",
    type: "",
    typeVersion: 0,
    capability: SCRIPT,
    priority: 0,
    labels: {},
    creatorId: "",
    runAs: "",
    concurrencyKey: "",
    concurrencyPolicy: "QUEUE",
    attemptTimeoutMs: 30_000,
    deadlineAt: null,
    retryPolicy: DEFAULT_RETRY_POLICY,
    workflowId: "",
    stepName: "",
    parentId: "",
    depth: 0,
    hookChain: [],
    callbackUrl: "",
    scheduleId: "",
    createdAt: now,
    runAt: now,
  }),
  queuedAt: now,
});

const specOf = ({ organizationId, id }: JobRow): SpecRow => ({
  organizationId,
  id,
  input: INPUT,
  scriptHash: "a".repeat(64) as ScriptHash,
  bindings: "",
  traceparent: "",
  requestId: "",
});

const started = (job: JobRow): JobRow => ({
  ...job,
  state: "RUNNING",
  startedAt: job.createdAt + 5,
  updatedAt: job.createdAt + 5,
  attempt: 1,
  runnerId: RUNNER,
  leaseToken: job.id as string as JobRow["leaseToken"],
});

const succeeded = (job: JobRow): JobRow => ({
  ...started(job),
  state: "SUCCEEDED",
  endedAt: job.createdAt + 9,
  updatedAt: job.createdAt + 9,
  reportSeq: 1,
  progress: { ...NO_PROGRESS, fraction: 1 },
  cpuMs: 3,
  peakMemoryBytes: 30_000_000,
});

const attemptOf = ({ organizationId, id, createdAt }: JobRow): AttemptRow => ({
  organizationId,
  jobId: id,
  attempt: 1,
  runnerId: RUNNER,
  startedAt: createdAt + 5,
  endedAt: createdAt + 9,
  outcome: "SUCCEEDED",
  result: '{"sent":true}',
  error: null,
  cpuMs: 3,
  peakMemoryBytes: 30_000_000,
});

/** Of one shard, with the organizations that live in it. */
type Owner = {
  readonly commit: (changes: Partial<ShardChanges>) => Promise<void>;
  readonly freshJobs: (count: number) => JobRow[];
};

const ownerOf = async (store: Store, shardId: number): Promise<Owner> => {
  const lease = await store.shards.claim(shardId, "bench", 600_000);
  if (lease === null) throw new Error(`shard ${shardId} is taken`);
  let { revision } = lease;
  const organizations = Array.from({ length: 5 }, () => systemRandom.uuid() as OrganizationId);
  return {
    freshJobs: (count) => {
      const now = systemClock.now();
      return Array.from({ length: count }, (_, at) =>
        fresh(organizations[at % organizations.length] ?? ("" as OrganizationId), now),
      );
    },
    commit: async (changes) => {
      revision += 1;
      const stamp = (job: JobRow): JobRow => ({ ...job, revision });
      await store.shards.commit(
        { shardId, epoch: lease.epoch },
        {
          ...NO_CHANGES,
          ...changes,
          revision,
          inserted: (changes.inserted ?? []).map(stamp),
          updated: (changes.updated ?? []).map(stamp),
        },
      );
    },
  };
};

type Measure = { readonly what: string; readonly perSecond: number };

/** The life of many jobs in batches; each of `owners` has its share, all at once. */
const measureBatches = async (store: Store, owners: readonly Owner[]): Promise<Measure[]> => {
  const batches = Array.from({ length: BATCHES }, (_, at) =>
    owners[at % owners.length]?.freshJobs(BATCH),
  );
  const time = async (what: string, changesOf: (jobs: JobRow[]) => Partial<ShardChanges>) => {
    const start = systemClock.monotonic();
    await Promise.all(
      owners.map(async ({ commit }, mine) => {
        for (let at = mine; at < BATCHES; at += owners.length)
          await commit(changesOf(batches[at] ?? []));
      }),
    );
    const seconds = (systemClock.monotonic() - start) / 1_000;
    return { what: `${what}, ${owners.length} at once`, perSecond: (BATCH * BATCHES) / seconds };
  };
  return [
    await time("submit", (jobs) => ({ inserted: jobs, specs: jobs.map(specOf) })),
    await time("start", (jobs) => ({ updated: jobs.map(started) })),
    await time("complete", (jobs) => ({
      updated: jobs.map(succeeded),
      attempts: jobs.map(attemptOf),
    })),
    await time("submit that starts at once", (jobs) => {
      const running = jobs.map((job) => ({ ...started(job), id: systemRandom.uuid() as JobId }));
      return { inserted: running, specs: running.map(specOf) };
    }),
  ];
};

const measureSingles = async ({ commit, freshJobs }: Owner): Promise<Measure> => {
  const start = systemClock.monotonic();
  for (const job of freshJobs(SINGLES)) await commit({ inserted: [job], specs: [specOf(job)] });
  const seconds = (systemClock.monotonic() - start) / 1_000;
  return { what: "submit one by one", perSecond: SINGLES / seconds };
};

const measureLoad = async (store: Store): Promise<Measure> => {
  const start = systemClock.monotonic();
  const { jobs } = await store.shards.load(0);
  const seconds = (systemClock.monotonic() - start) / 1_000;
  return { what: "load active jobs", perSecond: jobs.length / seconds };
};

/** On an empty, migrated database with four shards. */
export const measureStore = async (url: string): Promise<Measure[]> => {
  const store = await openStore(url);
  try {
    const owners: Owner[] = [];
    for (let shard = 0; shard < OWNERS; shard += 1) owners.push(await ownerOf(store, shard));
    const [first] = owners;
    if (first === undefined) return [];
    await measureSingles(first);
    return [
      await measureSingles(first),
      ...(await measureBatches(store, [first])),
      await measureLoad(store),
      ...(await measureBatches(store, owners)),
    ];
  } finally {
    await store.close();
  }
};

if (import.meta.main) {
  const server = await startMariadb();
  try {
    for (const engine of ENGINES) {
      const database = await createDatabase(engine, server.url);
      await migrateUp(database.url, { shards: OWNERS });
      for (const { what, perSecond } of await measureStore(database.url)) {
        console.log(
          `${engine.padEnd(7)} ${what.padEnd(40)} ${Math.round(perSecond).toString().padStart(8)} /s`,
        );
      }
      await database.drop();
    }
  } finally {
    await server.stop();
  }
}
