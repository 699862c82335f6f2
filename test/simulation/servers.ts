import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";

import { toWireRef } from "../../src/api/internal/attempt-ref.ts";
import { awaitChild, type AwaitingApi } from "../../src/api/internal/children.ts";
import { AwaitChildRequestSchema } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import { createCluster, type Cluster } from "../../src/cluster/cluster.ts";
import { createAttempt } from "../../src/delivery/attempt.ts";
import { createDispatcher } from "../../src/delivery/dispatcher.ts";
import { createPassOver } from "../../src/delivery/pass-over.ts";
import { NO_TRACES } from "../../src/delivery/traces.ts";
import { createIdentity, type Identity } from "../../src/identity/identity.ts";
import type { JobFault } from "../../src/jobs/errors.ts";
import type { JobId } from "../../src/jobs/ids.ts";
import type { AttemptRef } from "../../src/jobs/report.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { createFiring } from "../../src/schedules/firing.ts";
import type { Store } from "../../src/store/store.ts";
import { submitForHook } from "../../src/shard/commands/hook-job.ts";
import { faultyStore, type Faults } from "./faulty-store.ts";
import { hookSubmission } from "./hooks.ts";
import type { Ledger } from "./ledger.ts";
import { randomBounds } from "./random-bounds.ts";
import type { SimulatedReceivers } from "./receivers.ts";
import { ORGANIZATIONS } from "./operator.ts";
import { keepRollingUp } from "./rollups.ts";
import { scheduledSubmission } from "./schedules.ts";
import { Waits } from "./waits.ts";
import type { World } from "./world.ts";

/** The connection broke: whether the call took effect is not known. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

export type Connection = <T>(work: (cluster: Cluster) => Promise<T>) => Promise<T>;

type Life = {
  alive: boolean;
  /** As a real one, it takes no calls with tokens before it has looked for changes once. */
  knowsCallers: boolean;
  readonly cluster: Cluster;
  readonly identity: Identity;
  /** As this server reaches it: with delays and faults. */
  readonly store: Store;
  readonly awaiting: AwaitingApi;
  readonly waits: Waits;
  readonly dead: Promise<never>;
  readonly mourners: (() => void)[];
};

const nothing = (): void => {};
/** One server after another under the same name: each life ends with a crash. */
export class SimulatedServer {
  readonly name: string;
  readonly #world: World;
  readonly #real: Store;
  readonly #ledger: Ledger;
  readonly #faults: () => Faults;
  readonly #receivers: SimulatedReceivers;
  #life: Life | null = null;
  #cutOffUntil = 0;

  constructor(options: {
    readonly name: string;
    readonly world: World;
    readonly store: Store;
    readonly ledger: Ledger;
    readonly faults: () => Faults;
    readonly receivers: SimulatedReceivers;
  }) {
    this.name = options.name;
    this.#world = options.world;
    this.#real = options.store;
    this.#ledger = options.ledger;
    this.#faults = options.faults;
    this.#receivers = options.receivers;
  }

  get isAlive(): boolean {
    return this.#life?.alive ?? false;
  }

  start(): void {
    const world = this.#world;
    let kill: (lost: ConnectionLost) => void = nothing;
    const dead = new Promise<never>((_, reject) => {
      kill = reject;
    });
    dead.catch(nothing);
    const state = { alive: true, knowsCallers: false };
    const waits = new Waits();
    const isAlive = (): boolean => state.alive;
    const store = faultyStore(this.#real, {
      world,
      ledger: this.#ledger,
      isAlive,
      faults: this.#faults,
      waits,
      cutOffUntil: () => this.#cutOffUntil,
    });
    const clock = world.clock(world.dice.between(-50, 50), isAlive);
    const cluster = createCluster({
      store,
      clock,
      random: world.random(),
      log: silentLog,
      observer: silentShardObserver,
      bounds: randomBounds(world.dice),
      gather: async () => {
        await world.pause(0);
      },
      serverId: this.name,
      internalUrl: `sim://${this.name}`,
      checkInput: async (_organizationId, { input }) => {
        // As long as a schema takes, or longer than anybody waits.
        await world.pause(world.dice.chance(0.9) ? world.dice.between(0, 500) : 8_000);
        if (world.dice.chance(0.95)) return { kind: "input", input };
        const message = "input: must be something else";
        const error = { code: "input.invalid", message, stack: "", retryable: false };
        return { kind: "failed", error };
      },
      onDeliveries: (shardId, deliveries) => {
        dispatcher.noticed(shardId, deliveries);
      },
    });
    const identity = createIdentity({
      store,
      clock,
      random: world.random(),
      log: silentLog,
      shardOf: (organizationId) => cluster.router.shardOf(organizationId),
      outsideIssuer: null,
      onOrganizations: nothing,
    });
    const firing = createFiring({
      schedules: store.schedules,
      router: cluster.router,
      owned: () => cluster.owned(),
      prepare: async (schedule) => {
        await world.pause(world.dice.between(0, 20));
        return { kind: "job", submission: scheduledSubmission(world, schedule) };
      },
      clock,
      log: silentLog,
    });
    const dispatcher = createDispatcher({
      store: store.deliveries,
      owned: () => cluster.owned(),
      attempt: createAttempt({
        deliveries: store.deliveries,
        jobs: store.jobs,
        router: cluster.router,
        post: async (message) => await this.#receivers.post(message, isAlive),
        traces: NO_TRACES,
        submitJob: async (delivery) => {
          const startedAt = clock.now();
          await world.pause(world.dice.between(0, 20));
          const submit = async (): Promise<JobFault | null> => {
            const submission = hookSubmission(world, delivery);
            return await cluster.router
              .ownerOf(delivery.organizationId)
              .perform(submitForHook(delivery, submission, { startedAt, durationMs: 1 }));
          };
          // Now and then two have read the same notice.
          return world.dice.chance(0.3) ? ((await submit()) ?? (await submit())) : await submit();
        },
        clock,
        random: world.random(),
      }),
      passOver: createPassOver(cluster.router),
      limits: { atOnce: 8, atOncePerReceiver: 2 },
      drainMs: 1_000,
      clock,
      log: silentLog,
    });
    const { signal: shutdown } = new AbortController();
    const awaiting = { router: cluster.router, jobs: store.jobs, clock, shutdown };
    const parts = { cluster, identity, store, awaiting, waits, dead, mourners: [] };
    const life: Life = Object.assign(state, parts);
    this.#life = life;
    this.#kill = kill;
    world.note(`${this.name} starts`);
    const start = async (): Promise<void> => {
      await cluster.start();
      await identity.start();
      life.knowsCallers = true;
      await firing.start();
      await dispatcher.start();
      const { metrics } = store;
      const { shardOf } = cluster.router;
      const rollup = { metrics, identity: store.identity, clock, shardOf };
      void keepRollingUp({ world, cluster, isAlive }, rollup, ORGANIZATIONS);
    };
    start().catch((error: unknown) => {
      // A server that cannot start ends, and is started again like one that crashed.
      if (life.alive && this.#life === life) this.crash(String(error));
    });
  }

  /** The server lives, but its database is out of reach for a while. */
  cutOff(ms: number): void {
    this.#world.note(`${this.name} is cut off for ${ms} ms`);
    this.#cutOffUntil = this.#world.now + ms;
  }

  #kill: (lost: ConnectionLost) => void = nothing;

  crash(why: string): void {
    const life = this.#life;
    if (life === null || !life.alive) return;
    this.#world.note(`${this.name} dies: ${why}`);
    life.alive = false;
    for (const mourn of life.mourners) mourn();
    this.#kill(new ConnectionLost());
    this.#world.at(this.#world.dice.between(50, 4_000), () => {
      this.start();
    });
  }

  /** A call over the network: late, and lost when the server dies meanwhile or by bad luck. */
  async call<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    return await this.connect()(work);
  }

  /** The same, for what a server knows of callers. */
  async identify<T>(work: (identity: Identity, store: Store) => Promise<T>): Promise<T> {
    const life = this.#life;
    return await this.#call(life, async () => {
      if (life?.knowsCallers !== true) throw new ConnectionLost();
      return await work(life.identity, life.store);
    });
  }

  /** The same, for what a server reads for a caller. */
  async read<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const life = this.#life;
    return await this.#call(life, async () => {
      if (life === null) throw new ConnectionLost();
      return await work(life.store);
    });
  }

  /** The same, for an attempt that waits for a child of its own; `signal` breaks its connection. */
  async awaitChild(
    ref: AttemptRef,
    child: JobId,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<typeof awaitChild>>> {
    const life = this.#life;
    return await this.#call(life, async ({ router }) => {
      if (life === null) throw new ConnectionLost();
      const ended = life.waits.begin(ref, child);
      const maxWait = durationFromMs(waitMs);
      const request = { attempt: toWireRef(ref), jobId: child, maxWait };
      try {
        return await awaitChild(life.awaiting, create(AwaitChildRequestSchema, request), signal);
      } finally {
        // One that has lost the shard may be committing still what it decided meanwhile.
        if (owns(router, ref)) ended();
      }
    });
  }

  /** Called once, when this life of the server ends. */
  whenDead(mourn: () => void): void {
    if (this.isAlive) this.#life?.mourners.push(mourn);
    else mourn();
  }

  /** A connection, over which calls go to this life of the server and to no later one. */
  connect(): Connection {
    const life = this.#life;
    return async (work) => await this.#call(life, work);
  }

  async #call<T>(life: Life | null, work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const { dice } = this.#world;
    await this.#world.pause(dice.between(0, 4));
    if (life === null || !life.alive) throw new ConnectionLost();
    const result = await Promise.race([work(life.cluster), life.dead]);
    const isLost = dice.chance(this.#faults().fails / 2);
    await this.#world.pause(dice.between(0, 4));
    if (!life.alive || isLost) throw new ConnectionLost();
    return result;
  }
}

const owns = (router: Cluster["router"], { organizationId }: AttemptRef): boolean => {
  try {
    router.ownerOf(organizationId);
    return true;
  } catch {
    return false;
  }
};
