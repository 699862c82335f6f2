import type { DeliveryRow } from "../jobs/delivery.ts";
import type { OrganizationId } from "../jobs/ids.ts";
import { JobFault } from "../jobs/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import { configure } from "../shard/commands/configure.ts";
import { ShardActor } from "../shard/actor.ts";
import type { ShardObserver, ShardStats } from "../shard/observer.ts";
import type { RunnerHub, ShardRouter } from "../shard/owner.ts";
import { Slots } from "../shard/slots.ts";
import { SpecKeeper } from "../shard/spec-keeper.ts";
import type { TurnBounds } from "../shard/turn-bounds.ts";
import type { ShardId, Store } from "../store/store.ts";
import { type CheckInput, createInputGate } from "./input-gate.ts";
import { Leases } from "./leases.ts";
import { every } from "../runtime/every.ts";
import { createMetricUpkeep } from "./metric-upkeep.ts";
import { createRetention } from "./retention.ts";
import { ServerRunnerHub } from "./runner-hub.ts";
import { shardOf } from "./shard-of.ts";

const HEARTBEAT_MS = 2_000;
const SILENCE_CHECK_MS = 1_000;
/** A server that did not announce itself for so long is not told to runners any more. */
const SERVER_LIVE_MS = 10_000;

export type ClusterOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: ShardObserver;
  readonly bounds: TurnBounds;
  /** Resolves when all requests that have reached this process have been heard. */
  readonly gather: () => Promise<void>;
  /** Stable over restarts: a server takes its own earlier leases back at once. */
  readonly serverId: string;
  /** Where other servers and runners reach the internal listener. */
  readonly internalUrl: string;
  /** Called for each attempt whose input has values of other jobs in it. */
  readonly checkInput: CheckInput;
  /** Notices of a shard of this server that were committed: new ones, and changed ones. */
  readonly onDeliveries: (shardId: ShardId, deliveries: readonly DeliveryRow[]) => void;
};

/**
 * The shards of this server: claims leases, keeps them, runs an owner for each.
 * `start` resolves when every shard that is free is loaded and served.
 */
export type Cluster = Service & {
  readonly router: ShardRouter;
  readonly hub: RunnerHub;
  /** The shards that this server serves now. */
  owned(): ShardId[];
  /**
   * The limits of these organizations have changed: where this server has them loaded, the new ones
   * count from the next turn on. Resolves when they do. Never throws: a shard that moves meanwhile
   * reads them by itself.
   */
  refresh(organizationIds: readonly OrganizationId[]): Promise<void>;
  stats(): ShardStats[];
  /** The number of shards in the database. */
  size(): number;
  /** Internal URLs of all live servers, at most 2 s old. */
  serverUrls(): readonly string[];
  /** False while leases cannot be renewed: the database cannot be written. */
  keepsLeases(): boolean;
};

export const createCluster = (options: ClusterOptions): Cluster => {
  const { store, clock, random, log, observer, gather, serverId, internalUrl } = options;
  const { bounds, onDeliveries, checkInput } = options;
  const slots = new Slots();
  const actors = new Map<ShardId, ShardActor>();
  let shards = 0;
  let keptAt = Number.NEGATIVE_INFINITY;
  let urls: readonly string[] = [internalUrl];

  const slotsMoved = (): void => {
    for (const shardId of slots.servable()) actors.get(shardId)?.poke();
  };

  const hub = new ServerRunnerHub({
    slots,
    clock,
    log,
    shardOf: ({ organizationId }) => shardOf(organizationId, shards),
    actors: () => actors,
    slotsMoved,
  });

  const gate = createInputGate({
    hub,
    check: checkInput,
    report: async (report) => {
      const actor = actors.get(shardOf(report.ref.organizationId, shards));
      await actor?.report([report]);
    },
    clock,
    log,
  });

  const leases = new Leases({
    store: store.shards,
    clock,
    log,
    serverId,
    serve: (fence, holdsLease) => {
      const actor = new ShardActor({
        store: store.shards,
        fence,
        slots,
        specs: new SpecKeeper(),
        bounds,
        clock,
        random,
        observer,
        gather,
        log,
        holdsLease,
        handOut: (handout) => {
          gate.handOut(handout);
          onDeliveries(fence.shardId, handout.deliveries);
        },
        slotsMoved,
        expectRunners: (ids) => {
          hub.expect(ids);
        },
      });
      return {
        load: async () => {
          await actor.load();
        },
        run: async () => {
          actors.set(fence.shardId, actor);
          // Limits may have been changed after they were read and before anybody could tell.
          actor.perform(configure("all")).catch(() => {});
          await actor.run();
          if (actors.get(fence.shardId) === actor) actors.delete(fence.shardId);
        },
        stop: () => {
          actor.stop();
        },
      };
    },
  });

  const refresh = async (organizationIds: readonly OrganizationId[]): Promise<void> => {
    const byShard = Map.groupBy(organizationIds, (id) => shardOf(id, shards));
    const answers = [...byShard].map(async ([shardId, ids]) => {
      await actors.get(shardId)?.perform(configure(ids));
    });
    for (const answer of await Promise.allSettled(answers)) {
      if (answer.status === "fulfilled") continue;
      log.debug({ error: answer.reason as unknown }, "a shard moved before it got new limits");
    }
  };

  const heartbeat = async (): Promise<void> => {
    // Leases first: nothing else of this may cost a shard.
    await leases.keep();
    await store.servers.announce(serverId, internalUrl);
    keptAt = clock.monotonic();
    urls = await store.servers.live(SERVER_LIVE_MS);
  };
  const beating = every({ clock, log, name: "heartbeat", ms: HEARTBEAT_MS, run: heartbeat });
  const listening = every({
    clock,
    log,
    name: "silent runners",
    ms: SILENCE_CHECK_MS,
    run: async () => {
      await hub.loseSilent();
    },
  });

  const metricUpkeep = createMetricUpkeep({
    metrics: store.metrics,
    identity: store.identity,
    clock,
    log,
    actors,
    shardOf: (organizationId) => shardOf(organizationId, shards),
  });

  const retention = createRetention({
    shards: store.shards,
    deliveries: store.deliveries,
    identity: store.identity,
    clock,
    log,
    actors,
    shardOf: (organizationId) => shardOf(organizationId, shards),
  });

  return {
    start: async () => {
      shards = (await store.shards.list()).length;
      await heartbeat();
      beating.start();
      listening.start();
      retention.start();
      metricUpkeep.start();
      await leases.ready();
      log.info({ shards, owned: actors.size }, "shards are served");
    },
    stop: async () => {
      await beating.stop();
      await listening.stop();
      await retention.stop();
      await metricUpkeep.stop();
      await leases.releaseAll();
      await store.servers.withdraw(serverId);
    },
    router: {
      shardOf: (organizationId) => shardOf(organizationId, shards),
      ownerOf: (organizationId: OrganizationId) => {
        const actor = actors.get(shardOf(organizationId, shards));
        if (actor !== undefined) return actor;
        throw new JobFault(
          "SHARD_UNAVAILABLE",
          "Another server serves this organization. Try again shortly.",
          { retryAfterMs: HEARTBEAT_MS },
        );
      },
    },
    hub,
    owned: () => [...actors.keys()],
    refresh,
    stats: () => [...actors.values()].map((actor) => actor.stats()),
    size: () => shards,
    serverUrls: () => urls,
    keepsLeases: () => clock.monotonic() - keptAt < 3 * HEARTBEAT_MS,
  };
};
