import { expect, test } from "vitest";

import { createRetention } from "../../src/cluster/retention.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import type { DeliveryId, OrganizationId, WorkflowId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { AUDIT_RETENTION_MS } from "../../src/jobs/limits.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import { ShardActor } from "../../src/shard/actor.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { Slots } from "../../src/shard/slots.ts";
import { SpecKeeper } from "../../src/shard/spec-keeper.ts";
import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { openStore } from "../../src/store/open.ts";
import { type ShardId, type ShardStore, STANDARD_LIMITS } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { anOutputRow, ANY, placeOf } from "../support/store-rows.ts";

const acme = "acme" as OrganizationId;
const place = placeOf({ organizationId: acme });
const HOUR = 3_600_000;
const nothing = (): void => {};

type Fate = "commits" | "fails" | "commits and fails";

/** A shard with these jobs in it, its owner, and its retention; every commit meets the next fate. */
const withJobs = async (
  jobs: readonly JobRow[],
  fates: Fate[] = [],
  isBusy: (actor: ShardActor) => boolean = (actor) => actor.isBusy,
) => {
  const clock = createManualClock();
  const store = await openStore("sqlite::memory:", { now: clock.now });
  await (
    await claimed(store.shards, 0, "server")
  ).commit({
    inserted: jobs,
    specs: jobs.map(aSpecRow),
    output: jobs.flatMap((job) =>
      Array.from({ length: job.outputCount }, (_, seq) => anOutputRow(job, { seq })),
    ),
  });
  const lease = await store.shards.claim(0, "server", 10_000);
  if (lease === null) throw new Error("the shard is not free");
  let commits = 0;
  const shards: ShardStore = {
    ...store.shards,
    commit: async (...all) => {
      commits += 1;
      const fate = fates.shift() ?? "commits";
      if (fate !== "fails") await store.shards.commit(...all);
      if (fate !== "commits") throw new Error("the connection broke");
    },
  };
  const actor = new ShardActor({
    store: shards,
    fence: { shardId: 0, epoch: lease.epoch },
    slots: new Slots(),
    specs: new SpecKeeper(),
    bounds: TURN_BOUNDS,
    clock,
    random: systemRandom,
    observer: silentShardObserver,
    holdsLease: () => true,
    log: silentLog,
    gather: async () => await Promise.resolve(),
    handOut: nothing,
    slotsMoved: nothing,
    expectRunners: nothing,
  });
  await actor.load();
  const running = actor.run();
  const retention = createRetention({
    deliveries: store.deliveries,
    shards,
    identity: store.identity,
    clock,
    log: silentLog,
    actors: new Map([
      [
        0,
        {
          perform: async (command) => await actor.perform(command),
          get isBusy() {
            return isBusy(actor);
          },
        },
      ],
    ]),
    shardOf: () => 0,
  });
  retention.start();
  return {
    clock,
    store,
    commits: () => commits,
    /** Moves the clock on in steps, and lets everything that they set in motion come to rest. */
    pass: async (ms: number, step = 100) => {
      for (let passed = 0; passed < ms; passed += step) {
        clock.advance(step);
        for (let turn = 0; turn < 30; turn += 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
    left: async () => await store.jobs.list(place, ANY, null, 1_000),
    stop: async () => {
      await retention.stop();
      actor.stop();
      await running;
      await store.close();
    },
  };
};

const ended = (facts: Partial<JobRow> = {}): JobRow =>
  aJobRow({ organizationId: acme, state: "SUCCEEDED", endedAt: 1, purgeAt: 1, ...facts });

test("removes what is due in batches of a hundred, and leaves the rest", async () => {
  const stays = [ended({ purgeAt: 9e12 }), aJobRow({ organizationId: acme })];
  const shard = await withJobs([...Array.from({ length: 250 }, () => ended()), ...stays]);
  await shard.pass(4_000);
  expect((await shard.left()).map(({ id }) => id).toSorted()).toEqual(stays.map(({ id }) => id));
  expect(shard.commits()).toBe(3);
  await shard.stop();
});

test("goes on over commits that fail, and over those of which nobody knows", async () => {
  const jobs = Array.from({ length: 250 }, (_, index) => ended({ outputCount: index % 7 }));
  const fates: Fate[] = ["fails", "commits and fails", "commits", "fails", "commits and fails"];
  const shard = await withJobs([...jobs, ended({ outputCount: 1_200 })], fates);
  await shard.pass(12_000);
  expect(await shard.left()).toEqual([]);
  for (const { id } of jobs) expect(await shard.store.jobs.output(place, id, 0, 10)).toEqual([]);
  await shard.stop();
});

test("waits while callers do", async () => {
  let busy = true;
  const shard = await withJobs([ended()], [], () => busy);
  await shard.pass(6_000);
  expect(await shard.left()).toHaveLength(1);
  busy = false;
  await shard.pass(3_000);
  expect(await shard.left()).toEqual([]);
  await shard.stop();
});

test("a shard that has more to remove than ever ends keeps no other waiting", async () => {
  const clock = createManualClock();
  const due = new Set<ShardId>([0]);
  const { organizationId, id } = aJobRow();
  const job = { organizationId, id, revision: 1, labels: {}, outputCount: 0, requestId: "" };
  const rounds: ShardId[] = [];
  const actorOf = (shardId: ShardId) => ({
    isBusy: false,
    perform: async <Outcome>(command: Command<Outcome>): Promise<Outcome> => {
      rounds.push(shardId);
      if (shardId !== 0) due.delete(shardId);
      return await Promise.resolve(command.weight as Outcome);
    },
  });
  const retention = createRetention({
    deliveries: { purgeable: async () => await Promise.resolve([]) },
    shards: {
      purgeable: async (shardId) => await Promise.resolve(due.has(shardId) ? [job] : []),
      purgeableWorkflows: async () => await Promise.resolve([]),
      outputLeft: async () => await Promise.resolve([]),
      removeAudit: async () => await Promise.resolve(0),
    },
    identity: { listOrganizations: async () => await Promise.resolve([]) },
    clock,
    log: silentLog,
    actors: new Map([0, 1].map((shardId) => [shardId, actorOf(shardId)])),
    shardOf: () => 0,
  });
  retention.start();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await pass(4_000);
  due.add(1);
  await pass(14_000);
  expect(rounds).toContain(1);
  expect(rounds.lastIndexOf(0)).toBeGreaterThan(rounds.indexOf(1));
  await retention.stop();
});

test("jobs without end keep neither notices nor workflows waiting", async () => {
  const clock = createManualClock();
  const { organizationId, id } = aJobRow();
  const job = { organizationId, id, revision: 1, labels: {}, outputCount: 0, requestId: "" };
  const workflow = { organizationId, id: id as string as WorkflowId, stepCount: 3 };
  const notice = { organizationId, id: id as string as DeliveryId };
  const asked = { jobs: 0, notices: 0, workflows: 0 };
  const more = async <Row>(kind: keyof typeof asked, row: Row): Promise<Row[]> => {
    asked[kind] += 1;
    return await Promise.resolve([row]);
  };
  const retention = createRetention({
    deliveries: { purgeable: async () => await more("notices", notice) },
    shards: {
      purgeable: async () => await more("jobs", job),
      purgeableWorkflows: async () => await more("workflows", workflow),
      outputLeft: async () => await Promise.resolve([]),
      removeAudit: async () => await Promise.resolve(0),
    },
    identity: { listOrganizations: async () => await Promise.resolve([]) },
    clock,
    log: silentLog,
    actors: new Map([
      [
        0,
        {
          isBusy: false,
          perform: async <Outcome>({ weight }: Command<Outcome>) => {
            clock.advance(1_000);
            return await Promise.resolve(weight as Outcome);
          },
        },
      ],
    ]),
    shardOf: () => 0,
  });
  retention.start();
  for (let passed = 0; passed < 30_000; passed += 100) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await retention.stop();
  expect(asked.jobs).toBeGreaterThan(2);
  expect(Math.max(...Object.values(asked)) - Math.min(...Object.values(asked))).toBeLessThan(2);
});

test("removes lines of the audit log that are older than a year, every hour", async () => {
  const shard = await withJobs([]);
  const { identity } = shard.store;
  const now = shard.clock.now();
  const row = { id: acme, name: "acme", ...STANDARD_LIMITS, createdAt: now };
  await identity.insertOrganization(row);
  const line = (at: number, end: number) => {
    const time = at.toString(16).padStart(12, "0");
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(end).padStart(12, "0")}`;
    const said = { actor: SERVER, action: "job.submit", subject: "s", details: null } as const;
    return { ...said, organizationId: acme, id, at };
  };
  for (let count = 0; count < 600; count += 1) {
    await identity.insertAudit(0, line(now - AUDIT_RETENTION_MS - 1, count));
  }
  await identity.insertAudit(0, line(now - AUDIT_RETENTION_MS + 2 * HOUR, 1));
  await shard.pass(HOUR + 10_000, 1_000_000);
  await shard.pass(1_000);
  const left = await identity.listAudit(place, null, { before: null, limit: 1_000 });
  expect(left).toHaveLength(1);
  await shard.stop();
});
