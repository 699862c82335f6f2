import { isIP } from "node:net";

import { LRUCache } from "lru-cache";
import { Pool } from "undici";

import { type Lookup, type Network, pinnedLookup } from "./network.ts";

/** What one connection may take. */
export type PoolLimits = {
  readonly connections: number;
  readonly connectMs: number;
  readonly headerBytes: number;
};

/** Connections to one origin, whose addresses `lookup` tells. */
export const poolFor = (origin: string, lookup: Lookup, limits: PoolLimits): Pool =>
  new Pool(origin, {
    connections: limits.connections,
    connect: { lookup: lookup as never, timeout: limits.connectMs },
    autoSelectFamily: true,
    maxHeaderSize: limits.headerBytes,
    allowH2: false,
    pipelining: 1,
  });

/**
 * Connections to origins whose addresses have been checked: a pool for each origin and set of
 * addresses, so that a connection is never used for a request whose addresses were other ones.
 */
export type PinnedPools = {
  /** `addresses` have been checked. Nothing else is ever connected to. */
  pool(origin: string, addresses: readonly string[]): Pool;
  /** Ends what is under way. */
  stop(): Promise<void>;
};

const MOST_POOLS = 256;

export const createPinnedPools = (network: Network, limits: PoolLimits): PinnedPools => {
  const closing = new Set<Promise<void>>();
  const pools = new LRUCache<string, Pool>({
    max: MOST_POOLS,
    dispose: (pool) => {
      const closed = pool.close().finally(() => closing.delete(closed));
      closing.add(closed);
    },
  });
  return {
    pool: (origin, addresses) => {
      const key = `${origin} ${addresses.toSorted().join(" ")}`;
      const known = pools.get(key);
      if (known !== undefined) return known;
      const dialled = addresses
        .map((address) => network.dial(address))
        .map((address) => ({ address, family: isIP(address) }));
      const pool = poolFor(origin, pinnedLookup(dialled), limits);
      pools.set(key, pool);
      return pool;
    },
    stop: async () => {
      await Promise.all([...pools.values()].map(async (pool) => await pool.destroy()));
      pools.clear();
      await Promise.allSettled(closing);
    },
  };
};
