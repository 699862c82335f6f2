/**
 * What a long queue costs: `node --expose-gc bench/backlog.ts [--jobs N] [--engine sqlite|mariadb]`.
 * N queued jobs of one organization in a real database. Prints the memory that the owner of their
 * shard needs for each, how long it takes to load them and how long the process is deaf meanwhile,
 * and how long another organization of the same shard waits for its jobs to start, with and without
 * that queue.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";

import { shardOf } from "../src/cluster/shard-of.ts";
import { freshJob } from "../src/jobs/fresh-job.ts";
import type { Capability, JobId, OrganizationId, ScriptHash, UserId } from "../src/jobs/ids.ts";
import type { JobRow } from "../src/jobs/job.ts";
import { DEFAULT_RETRY_POLICY } from "../src/jobs/retry.ts";
import { heardAll } from "../src/runtime/event-loop.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { stateOf } from "../src/shard/load.ts";
import { NO_CHANGES, type Store } from "../src/store/store.ts";
import { print, spaced, type Figure } from "./figures.ts";
import { startService, type EngineName } from "./service.ts";
import { addTenant } from "./tenants.ts";
import { textOf, withProber } from "./waits.ts";

const BATCH = 5_000;
const SAMPLES = 100;
/** Between two jobs: a tenant that wants more than its share waits for its share. */
const PAUSE_MS = 50;
/** More than the organization with the backlog may use. */
const SLOTS = 10;

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "100000" },
    engine: { type: "string", multiple: true, default: ["sqlite"] },
  },
});
const JOBS = Number(values.jobs);

const queuedJob = (organizationId: OrganizationId, creatorId: UserId, now: number): JobRow => ({
  ...freshJob({
    organizationId,
    id: systemRandom.uuid() as JobId,
    name: "",
    type: "heavy",
    typeVersion: 0,
    capability: "handler:heavy" as Capability,
    priority: 0,
    labels: {},
    creatorId,
    runAs: creatorId,
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

const fill = async (store: Store, organizationId: OrganizationId): Promise<void> => {
  const shardId = shardOf(organizationId, (await store.shards.list()).length);
  const claimed = await store.shards.claim(shardId, "bench", 10_000);
  if (claimed === null) throw new Error("the shard is not free");
  const fence = { shardId, epoch: claimed.epoch };
  let { revision } = claimed;
  const creatorId = systemRandom.uuid() as UserId;
  for (let left = JOBS; left > 0; left -= BATCH) {
    const inserted = Array.from({ length: Math.min(BATCH, left) }, () =>
      queuedJob(organizationId, creatorId, Date.now()),
    );
    const specs = inserted.map(({ id }) => ({
      organizationId,
      id,
      input: '"x"',
      scriptHash: "" as ScriptHash | "",
      bindings: "",
      traceparent: "",
      requestId: "",
    }));
    await store.shards.commit(fence, { ...NO_CHANGES, revision: (revision += 1), inserted, specs });
  }
  await store.shards.release(fence, "bench");
};

const heapUsed = (): number => {
  if (globalThis.gc === undefined) throw new Error("run it with node --expose-gc");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

const measureLoad = async (store: Store, shardId: number): Promise<Figure[]> => {
  const before = heapUsed();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const begun = performance.now();
  const state = await stateOf(await store.shards.load(shardId), heardAll);
  const took = performance.now() - begun;
  delay.disable();
  const bytes = (heapUsed() - before) / JOBS;
  const organizations = [...state.organizations()].length;
  if (organizations !== 1) throw new Error("the backlog was not loaded");
  return [
    { name: "memory of the owner for each queued job", value: `${Math.round(bytes)} bytes` },
    { name: "load of the shard", value: `${(took / 1_000).toFixed(2)} s` },
    {
      name: "longest time in which nothing else was heard",
      value: `${Math.round(delay.max / 1e6)} ms`,
    },
  ];
};

const run = async (engine: EngineName): Promise<void> => {
  const service = await startService(engine, { maxRunning: 5 });
  try {
    const heavy = service.site.organizationId;
    const figures: Figure[] = [];
    const token = await service.whileStopped(async (store) => await addTenant(store, heavy, SLOTS));
    const light = service.clientOf(token);
    await service.putHandler("heavy");
    await service.putHandler("light", token);
    await withProber(service, SLOTS, async (prober) => {
      await prober.measure(light, 20, 0);
      const waits = await prober.measure(light, SAMPLES, PAUSE_MS);
      figures.push({ name: "another organization alone, submit → started", value: textOf(waits) });
    });
    await service.whileStopped(async (store) => {
      await fill(store, heavy);
      const shards = (await store.shards.list()).length;
      figures.unshift(...(await measureLoad(store, shardOf(heavy, shards))));
    });
    await withProber(service, SLOTS, async (prober) => {
      const waits = await prober.measure(light, SAMPLES, PAUSE_MS);
      const name = `the same while ${spaced(JOBS)} jobs are worked off`;
      figures.push({ name, value: textOf(waits) });
    });
    print(`${engine}, ${spaced(JOBS)} queued jobs`, figures);
  } finally {
    await service.stop();
  }
};

for (const engine of values.engine) await run(engine as EngineName);
