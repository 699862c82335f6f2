import { isIP } from "node:net";

import { LRUCache } from "lru-cache";
import { Pool } from "undici";

import type { Upstream } from "./destination.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import { createSharedLookup, type Lookup, type Network, pinnedLookup } from "./network.ts";

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

const MOST_CONNECTIONS = 100;
const MOST_PUBLIC_POOLS = 256;

const poolFor = (origin: string, lookup: Lookup): Pool =>
  new Pool(origin, {
    connections: MOST_CONNECTIONS,
    connect: { lookup: lookup as never, timeout: EGRESS_LIMITS.connectMs },
    autoSelectFamily: true,
    maxHeaderSize: EGRESS_LIMITS.headerBytes,
    allowH2: false,
    pipelining: 1,
  });

export const createClients = (network: Network): Clients => {
  const upstreams = new Map<string, Pool>();
  const lookup = createSharedLookup();
  const closing = new Set<Promise<void>>();
  const pinned = new LRUCache<string, Pool>({
    max: MOST_PUBLIC_POOLS,
    dispose: (pool) => {
      const closed = pool.close().finally(() => closing.delete(closed));
      closing.add(closed);
    },
  });

  return {
    upstream: ({ name, base }) => {
      const pool = upstreams.get(name) ?? poolFor(base.origin, lookup);
      upstreams.set(name, pool);
      return pool;
    },
    pinned: (origin, addresses) => {
      const key = `${origin} ${addresses.toSorted().join(" ")}`;
      const known = pinned.get(key);
      if (known !== undefined) return known;
      const dialled = addresses
        .map((address) => network.dial(address))
        .map((address) => ({ address, family: isIP(address) }));
      const pool = poolFor(origin, pinnedLookup(dialled));
      pinned.set(key, pool);
      return pool;
    },
    stop: async () => {
      const pools = [...upstreams.values(), ...pinned.values()];
      upstreams.clear();
      await Promise.all(pools.map(async (pool) => await pool.destroy()));
      pinned.clear();
      await Promise.allSettled(closing);
    },
  };
};
