import { shardOf } from "../../src/cluster/shard-of.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import { STANDARD_LIMITS, type Store } from "../../src/store/store.ts";
import { faultOf } from "./broken.ts";
import { SimulatedCaller } from "./callers.ts";
import { randomFamilies, SimulatedChildren } from "./children.ts";
import { SimulatedClient, type Acknowledgements } from "./clients.ts";
import { NO_FAULTS, type Faults } from "./faulty-store.ts";
import { checkEnd } from "./invariants.ts";
import { Ledger } from "./ledger.ts";
import { RetentionLedger } from "./retention-ledger.ts";
import { ReleaseLedger } from "./release-ledger.ts";
import { addOrganizations, changeLimits, ORGANIZATIONS } from "./operator.ts";
import { SimulatedRunner, type Acknowledged } from "./runners.ts";
import { SimulatedReceivers } from "./receivers.ts";
import { keepHook } from "./hooks.ts";
import { keepSchedule } from "./schedules.ts";
import { SimulatedServer } from "./servers.ts";
import { SimulatedWatcher } from "./watchers.ts";
import { World } from "./world.ts";

const MINUTE = 60_000;
/** A paused type whose trial runs are all lost gets through its jobs one in half a minute. */
const LONGEST_END_MS = 60 * MINUTE;
/** After the end of a history nearly all have heard of it within this time, and all in a minute. */
const LATECOMERS_MS = 20_000;

export type SimulationReport = {
  readonly seed: number;
  readonly jobs: number;
  readonly commits: number;
  /** How often this happened of what not every history has. */
  readonly seen: {
    readonly children: number;
    /** Parents above the deepest job. */
    readonly depth: number;
    readonly answers: number;
    readonly crossings: number;
    readonly rollups: number;
  };
  /** Simulated milliseconds. */
  readonly took: number;
  /** Broken promises; empty when all held. */
  readonly faults: readonly string[];
  readonly trace: readonly string[];
};

/**
 * One history, determined by the seed: two servers, some runners, clients and watchers, on a
 * database and a network that fail. After a stormy while the faults stop, and then everything must
 * come to its end. `openStore` gives a real, empty, migrated store with the world's clock; with
 * `lies`, that share of its commits is acknowledged and lost.
 */
export const simulate = async (
  seed: number,
  openStore: (now: () => number) => Promise<Store>,
  { lies = 0 }: { readonly lies?: number } = {},
): Promise<SimulationReport> => {
  const world = new World(seed);
  const { dice } = world;
  const store = await openStore(() => world.now);
  const shards = (await store.shards.list()).length;
  const told: Acknowledgements = {
    submitted: new Map(),
    workflows: new Map(),
    cancelled: new Set(),
    deferred: new Set(),
    releasesSent: new Set(),
  };
  const ledger = new Ledger(new ReleaseLedger(told), new RetentionLedger(() => world.now));
  // The last one keeps its ended jobs for seconds; the others for longer than any history lasts.
  const retentionMs = dice.between(2_000, 15_000);
  await addOrganizations(store, world, ORGANIZATIONS, (id) =>
    id === ORGANIZATIONS.at(-1) ? { ...STANDARD_LIMITS, retentionMs } : STANDARD_LIMITS,
  );
  const acknowledged: Acknowledged[] = [];

  const storm: Faults = {
    fails: dice.fraction() * 0.06,
    doesAndFails: dice.fraction() * 0.06,
    lies,
    stalls: dice.fraction() * 0.01,
  };
  let faults = storm;
  const isStormy = (): boolean => faults === storm;
  const receivers = new SimulatedReceivers({ world, ledger, isStormy });
  const servers = ["one", "two"].map(
    (name) => new SimulatedServer({ name, world, store, ledger, receivers, faults: () => faults }),
  );
  for (const server of servers) world.at(dice.between(0, 50), () => server.start());

  const plan = randomFamilies(world);
  const children = new SimulatedChildren({ world, ledger, servers, shards, told, plan });
  // Now and then there is one slot for everybody.
  const isScarce = dice.chance(0.2);
  const newRunner = (): SimulatedRunner => {
    const slots = isScarce ? 1 : dice.between(1, 6);
    const runner = new SimulatedRunner({
      world,
      ledger,
      servers,
      slots,
      shards,
      acknowledged,
      children,
      isStormy,
    });
    runner.start();
    return runner;
  };
  const runners = Array.from({ length: isScarce ? 1 : dice.between(1, 3) }, newRunner);

  const watchers = ORGANIZATIONS.flatMap((organizationId) =>
    [0, 2_000, 20_000].map((laziness) => {
      const slowness = (): number => (faults === storm ? laziness : 0);
      const shardId = shardOf(organizationId, shards);
      return new SimulatedWatcher({
        world,
        ledger,
        store,
        servers,
        organizationId,
        shardId,
        slowness,
      });
    }),
  );
  for (const watcher of watchers) void watcher.watch();

  const failures: string[] = [];
  const stormEnds = world.now + dice.between(5_000, 20_000);
  const hooks = dice.between(0, 4);
  let working = ORGANIZATIONS.length + hooks + 3;
  changeLimits({ world, store, servers, limits: ledger.limits }, ORGANIZATIONS, stormEnds).then(
    () => (working -= 1),
    (error: unknown) => failures.push(`limits could not be changed: ${String(error)}`),
  );
  keepSchedule(
    { world, store, servers },
    {
      organizationId: dice.pick(ORGANIZATIONS),
      cron: dice.pick(["*/2 * * * * *", "*/5 * * * * *"]),
      until: stormEnds,
    },
  ).then(
    () => (working -= 1),
    (error: unknown) => failures.push(`a schedule could not be kept: ${String(error)}`),
  );
  for (let count = 0; count < hooks; count += 1) {
    keepHook({ world, store, servers }, dice.pick(ORGANIZATIONS), stormEnds).then(
      () => (working -= 1),
      (error: unknown) => failures.push(`a hook could not be kept: ${String(error)}`),
    );
  }
  const callers = ORGANIZATIONS.slice(0, 1).map((organizationId) => {
    const caller = new SimulatedCaller({ world, ledger, store, servers });
    caller.work(organizationId).then(
      () => (working -= 1),
      (error: unknown) => failures.push(`a token could not be revoked: ${String(error)}`),
    );
    return caller;
  });

  // Now and then so many that a lazy watcher falls behind.
  const jobs = dice.chance(0.05) ? 70 : dice.between(2, 12);
  for (const organizationId of ORGANIZATIONS) {
    const client = new SimulatedClient({ world, servers, organizationId, told });
    const flows = Array.from({ length: dice.pick([0, 1, 1, 2]) }, () => dice.between(1, 8));
    const work = [client.work(jobs), ...flows.map(async (steps) => await client.flow(steps))];
    Promise.all(work).then(
      () => (working -= 1),
      (error: unknown) => failures.push(`a client got an answer it must not get: ${String(error)}`),
    );
  }

  const disturb = (): void => {
    if (world.now >= stormEnds) {
      faults = NO_FAULTS;
      world.note("the storm is over");
      world.at(dice.between(1_000, 20_000), () => {
        void receivers.orderAgain(servers);
      });
      return;
    }
    if (dice.chance(0.4)) dice.pick(servers).crash("killed");
    else if (dice.chance(0.3)) dice.pick(servers).cutOff(dice.between(1_000, 16_000));
    if (dice.chance(0.4)) {
      const index = dice.between(0, runners.length - 1);
      runners[index]?.die();
      runners[index] = newRunner();
    } else if (dice.chance(0.3)) {
      dice.pick(runners).freeze(dice.between(1_000, 25_000));
    }
    world.at(dice.between(500, 5_000), disturb);
  };
  world.at(dice.between(100, 3_000), disturb);

  const isOver = (): boolean =>
    failures.length > 0 ||
    ledger.fault !== null ||
    (working === 0 &&
      world.now > stormEnds &&
      ledger.deliveries.pending().length === 0 &&
      ledger.unfinished.left.length === 0 &&
      ledger.retention.retired.size === 0 &&
      [...ledger.jobs.values()].every(({ state }) => hasEnded(state)));
  const start = world.now;
  const ended = await world.run(isOver, LONGEST_END_MS);
  const check = async (): Promise<string[]> => {
    const found = await checkEnd({ store, ledger, told, acknowledged });
    if (found.length === 0) found.push(...ledger.deliveries.differences(ledger.jobs));
    if (found.length === 0) found.push(...ledger.thresholds.differences());
    if (found.length === 0) for (const watcher of watchers) found.push(...watcher.differences());
    if (found.length === 0) for (const caller of callers) found.push(...caller.differences());
    return found;
  };
  const found = [
    ...failures,
    ...(ledger.fault === null ? [] : [ledger.fault.message]),
    ...(ended ? [] : [faultOf("everything comes to its end", { working }), ...unfinished(ledger)]),
  ];
  // Watchers, what retention has begun, and endings that were repeated may still be on their way.
  for (let waited = 0; found.length === 0; waited += LATECOMERS_MS) {
    await world.run(() => ledger.fault !== null, LATECOMERS_MS);
    if (ledger.fault !== null) found.push(ledger.fault.message);
    const missing = await check();
    if (missing.length === 0) break;
    if (waited >= MINUTE) found.push(...missing);
  }
  await store.close();
  return {
    seed,
    jobs: ledger.jobs.size + ledger.retention.purged.size,
    commits: ledger.commits,
    seen: {
      children: ledger.families.born,
      depth: ledger.families.deepest,
      answers: ledger.families.answers,
      crossings: ledger.thresholds.told,
      rollups: ledger.metrics.rolledUp,
    },
    took: world.now - start,
    faults: found,
    trace: world.trace,
  };
};

/** For those who have to understand a failing seed. */
const unfinished = (ledger: Ledger): string[] =>
  [...ledger.jobs.values()]
    .filter(({ state }) => !hasEnded(state))
    .map((row) => faultOf("everything comes to its end", row));
