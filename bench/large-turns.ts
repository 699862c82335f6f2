/**
 * What one tenant can make the owner of a shard do at once, and how long another one waits meanwhile:
 * `node --expose-gc bench/large-turns.ts [--engine sqlite|mysql]`.
 *
 * `hooks`: 1,000 jobs end in one call, and 100 hooks hear of each. `workflows`: the first steps of 50
 * workflows of 1,000 steps are cancelled at once, and all others with them. Of each it prints the
 * largest commit, how long everything took, the memory at its most, and the longest wait of a job of
 * another organization for its submission.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { SERVER } from "../src/jobs/audit.ts";
import { SCRIPT, type HookId, type OrganizationId, type RunnerId } from "../src/jobs/ids.ts";
import type { JobRow } from "../src/jobs/job.ts";
import type { AttemptRef } from "../src/jobs/report.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { heardAll } from "../src/runtime/event-loop.ts";
import { silentLog } from "../src/runtime/log.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { ShardActor } from "../src/shard/actor.ts";
import { createHook } from "../src/shard/commands/hook.ts";
import { submitWorkflow } from "../src/shard/commands/workflow.ts";
import { silentShardObserver } from "../src/shard/observer.ts";
import { Slots } from "../src/shard/slots.ts";
import { SpecKeeper } from "../src/shard/spec-keeper.ts";
import { TURN_BOUNDS } from "../src/shard/turn-bounds.ts";
import { migrateUp } from "../src/store/migrate.ts";
import { openStore } from "../src/store/open.ts";
import { type ShardChanges, STANDARD_LIMITS, type Store } from "../src/store/store.ts";
import { createDatabase, ENGINES, type EngineName } from "../test/support/databases.ts";
import { aHookRow } from "../test/support/hook-row.ts";
import { aSubmission } from "../test/support/job-row.ts";
import { startMariadb } from "../test/support/mariadb.ts";
import { aWorkflow, type Graph } from "../test/support/workflow.ts";
import { type Figure, print, spaced } from "./figures.ts";

const JOBS = 1_000;
const HOOKS = 100;
const WORKFLOWS = 50;
const STEPS = 1_000;
const RUNNER = systemRandom.uuid() as RunnerId;
/** Of the rows that support/ makes. */
const TENANT = "acme" as OrganizationId;
const OTHER = "other" as OrganizationId;
/** Nothing has happened for so long: it is over. */
const QUIET_MS = 1_500;

const { values } = parseArgs({
  options: { engine: { type: "string", multiple: true, default: [...ENGINES] } },
});

const rowsOf = (changes: ShardChanges): number =>
  Object.values<unknown>(changes).reduce<number>(
    (sum, rows) => sum + (Array.isArray(rows) ? rows.length : 0),
    0,
  );

const memory = (): number => process.memoryUsage().rss / 1024 / 1024;

/** The neighbour's own commits are no larger. */
const SMALL = 10;

/** An owner that tells of its commits. */
class Watched {
  largest = { rows: 0, ms: 0 };
  slowestMs = 0;
  /** When the last commit took place that was not the neighbour's alone. */
  lastAt = 0;
  readonly assigned: AttemptRef[] = [];
  readonly slots = new Slots();
  readonly actor: ShardActor;

  constructor(store: Store, epoch: number) {
    this.actor = new ShardActor({
      store: {
        ...store.shards,
        commit: async (fence, changes) => {
          const begun = performance.now();
          await store.shards.commit(fence, changes);
          this.#committed(rowsOf(changes), performance.now() - begun);
        },
      },
      fence: { shardId: 0, epoch },
      slots: this.slots,
      specs: new SpecKeeper(),
      clock: systemClock,
      random: systemRandom,
      observer: silentShardObserver,
      bounds: TURN_BOUNDS,
      holdsLease: () => true,
      log: silentLog,
      gather: heardAll,
      handOut: ({ assignments }) => {
        for (const { assignment } of assignments) this.assigned.push(assignment.ref);
      },
      slotsMoved: () => {},
      expectRunners: () => {},
    });
  }

  #committed(rows: number, ms: number): void {
    this.slowestMs = Math.max(this.slowestMs, ms);
    if (rows > SMALL) this.lastAt = performance.now();
    if (rows > this.largest.rows) this.largest = { rows, ms };
  }

  /** What the work costs, until nothing more follows; another tenant submits jobs all the while. */
  async measure(work: () => Promise<unknown>): Promise<Figure[]> {
    globalThis.gc?.();
    const before = memory();
    let [most, longestMs, isOver] = [before, 0, false];
    this.largest = { rows: 0, ms: 0 };
    this.slowestMs = 0;
    const begunAt = performance.now();
    const cpu = process.cpuUsage();
    // From one answer to the next: on SQLite a commit keeps the whole process from asking, too.
    const submitOften = async (): Promise<void> => {
      let answeredAt = begunAt;
      while (!isOver) {
        await this.actor.submit([aSubmission({ organizationId: OTHER })]);
        longestMs = Math.max(longestMs, performance.now() - answeredAt);
        answeredAt = performance.now();
        most = Math.max(most, memory());
        await sleep(5);
      }
    };
    const neighbour = submitOften();
    await work();
    const answeredAt = performance.now();
    while (performance.now() < Math.max(answeredAt, this.lastAt) + QUIET_MS) await sleep(50);
    isOver = true;
    await neighbour;
    const { user, system } = process.cpuUsage(cpu);
    const { rows, ms } = this.largest;
    return [
      { name: "largest commit", value: `${spaced(rows)} rows in ${spaced(ms)} ms` },
      { name: "slowest commit", value: `${spaced(this.slowestMs)} ms` },
      { name: "answered after", value: `${spaced(answeredAt - begunAt)} ms` },
      { name: "all done after", value: `${spaced(this.lastAt - begunAt)} ms` },
      { name: "CPU of the owner", value: `${spaced((user + system) / 1_000)} ms` },
      { name: "memory", value: `${spaced(before)} MiB, at most ${spaced(most)} MiB` },
      { name: "another tenant waited", value: `${spaced(longestMs)} ms at most` },
    ];
  }
}

const hooks = async (owner: Watched): Promise<Figure[]> => {
  owner.slots.announce(RUNNER, [SCRIPT], JOBS);
  await owner.actor.submit(Array.from({ length: JOBS }, () => aSubmission()));
  while (owner.assigned.length < JOBS) await sleep(10);
  for (let count = 0; count < HOOKS; count += 1) {
    await owner.actor.perform(
      createHook(aHookRow({ id: systemRandom.uuid() as HookId }), null, SERVER),
    );
  }
  const used = { cpuMs: 1, peakMemoryBytes: 1 };
  const reports = owner.assigned.map((ref) => ({
    ...{ ref, seq: 1, progress: null, output: [], steps: [] },
    ending: { kind: "succeeded" as const, result: "1", ...used },
  }));
  return await owner.measure(async () => await owner.actor.report(reports));
};

const workflows = async (owner: Watched): Promise<Figure[]> => {
  const graph: Graph = Object.fromEntries(
    Array.from({ length: STEPS }, (_, at) => [`s${at}`, at === 0 ? {} : { after: ["s0"] }]),
  );
  const roots: JobRow[] = [];
  for (let count = 0; count < WORKFLOWS; count += 1) {
    const workflow = aWorkflow(graph);
    await owner.actor.perform(submitWorkflow(workflow));
    const [root] = workflow.steps;
    if (root !== undefined) roots.push(root.submission.job);
  }
  return await owner.measure(
    async () =>
      await Promise.all(
        roots.map(
          async ({ organizationId, id }) =>
            await owner.actor.cancel(organizationId, id, { reason: "", by: SERVER }),
        ),
      ),
  );
};

const on = async (engine: EngineName, serverUrl: string): Promise<void> => {
  for (const [name, load] of Object.entries({ hooks, workflows })) {
    const database = await createDatabase(engine, serverUrl);
    await migrateUp(database.url, { shards: 1 });
    const store = await openStore(database.url);
    await store.identity.insertOrganization({
      ...{ id: TENANT, name: TENANT, ...STANDARD_LIMITS, maxRunning: JOBS },
      createdAt: systemClock.now(),
    });
    const claimed = await store.shards.claim(0, "bench", 600_000);
    if (claimed === null) throw new Error("the shard is taken");
    const owner = new Watched(store, claimed.epoch);
    await owner.actor.load();
    const running = owner.actor.run();
    print(`${engine}, ${name}`, await load(owner));
    owner.actor.stop();
    await running;
    await store.close();
    await database.drop();
  }
};

const server = values.engine.includes("mysql") ? await startMariadb() : null;
for (const engine of ENGINES) {
  if (values.engine.includes(engine)) await on(engine, server?.url ?? "");
}
await server?.stop();
