import type { Pool } from "undici";

import { createSharedLookup, type Network } from "../../src/outgoing/network.ts";
import { createPinnedPools, poolFor, type PoolLimits } from "../../src/outgoing/pinned-pools.ts";
import type { Upstream } from "./destination.ts";
import { EGRESS_LIMITS } from "./limits.ts";

/**
 * The connections of the broker. Each upstream has a pool of its own, so that a dead one costs
 * nobody else anything; so has each public origin for each set of addresses that was checked: a
 * connection is never used for a fetch whose addresses were other ones.
 */
export type Clients = {
  upstream(upstream: Upstream): Pool;
  /** `addresses` have been checked. Nothing else is ever connected to. */
  pinned(origin: string, addresses: readonly string[]): Pool;
  /** Ends what is under way. */
  stop(): Promise<void>;
};

const LIMITS: PoolLimits = {
  connections: 100,
  connectMs: EGRESS_LIMITS.connectMs,
  headerBytes: EGRESS_LIMITS.headerBytes,
};

export const createClients = (network: Network): Clients => {
  const upstreams = new Map<string, Pool>();
  const lookup = createSharedLookup();
  const pinned = createPinnedPools(network, LIMITS);
  return {
    upstream: ({ name, base }) => {
      const pool = upstreams.get(name) ?? poolFor(base.origin, lookup, LIMITS);
      upstreams.set(name, pool);
      return pool;
    },
    pinned: (origin, addresses) => pinned.pool(origin, addresses),
    stop: async () => {
      const pools = [...upstreams.values()];
      upstreams.clear();
      await Promise.all(pools.map(async (pool) => await pool.destroy()));
      await pinned.stop();
    },
  };
};
