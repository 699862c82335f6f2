import type { Clock } from "../runtime/clock.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import type { ShardObserver, ShardStats } from "../shard/observer.ts";
import type { RunnerHub, ShardRouter } from "../shard/owner.ts";
import type { Store } from "../store/store.ts";

export type ClusterOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: ShardObserver;
  /** Stable over restarts: a server takes its own earlier leases back at once. */
  readonly serverId: string;
  /** Where other servers and runners reach the internal listener. */
  readonly internalUrl: string;
};

/**
 * The shards of this server: claims leases, keeps them, runs an owner for each.
 * `start` resolves when every shard that is free is loaded and served.
 */
export type Cluster = Service & {
  readonly router: ShardRouter;
  readonly hub: RunnerHub;
  stats(): ShardStats[];
  /** Internal URLs of all live servers, at most 2 s old. */
  serverUrls(): readonly string[];
};

export declare const createCluster: (options: ClusterOptions) => Cluster;
