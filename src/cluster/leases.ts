import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Fence, ShardId, ShardStore } from "../store/store.ts";

const LEASE_MS = 10_000;

/** Whoever serves a shard while its lease is held. */
export type Tenure = {
  load(): Promise<void>;
  /** Resolves when it has ended, for whatever reason. Never rejects. */
  run(): Promise<void>;
  stop(): void;
};

type Held = {
  readonly fence: Fence;
  readonly tenure: Tenure;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  /** Monotonic: reckoned from before the database was asked, so never later than its own reckoning. */
  until: number;
};

export type LeaseOptions = {
  readonly store: ShardStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly serverId: string;
  readonly serve: (fence: Fence, holdsLease: () => boolean) => Tenure;
};

/**
 * The leases of this server. The database decides who owns a shard; this server only reckons, by
 * its own monotonic clock, until when it may believe that it still does.
 */
export class Leases {
  readonly #options: LeaseOptions;
  readonly #held = new Map<ShardId, Held>();

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Renews what is held, gives up what was lost, claims what is free. Called every 2 s. */
  async keep(): Promise<void> {
    try {
      await this.#renew();
    } finally {
      this.#endExpired();
    }
    await this.#claim();
  }

  /** Resolves when everything held now is loaded. @throws what kept one from being loaded */
  async ready(): Promise<void> {
    await Promise.all([...this.#held.values()].map(async ({ ready }) => await ready));
  }

  async releaseAll(): Promise<void> {
    const all = [...this.#held.values()];
    for (const { tenure } of all) tenure.stop();
    const released = await Promise.allSettled(
      all.map(async ({ fence, ended }) => {
        await ended;
        await this.#options.store.release(fence, this.#options.serverId);
      }),
    );
    // What could not be released runs out by itself.
    for (const result of released) {
      if (result.status === "fulfilled") continue;
      const error: unknown = result.reason;
      this.#options.log.warn({ error }, "a lease could not be released");
    }
  }

  async #renew(): Promise<void> {
    const { store, clock, serverId, log } = this.#options;
    if (this.#held.size === 0) return;
    const asked = clock.monotonic();
    const fences = [...this.#held.values()].map(({ fence }) => fence);
    const renewed = new Set(await store.renew(fences, serverId, LEASE_MS));
    for (const { shardId, epoch } of fences) {
      const held = this.#held.get(shardId);
      if (held?.fence.epoch !== epoch) continue;
      if (renewed.has(shardId)) {
        held.until = asked + LEASE_MS;
      } else {
        log.warn({ shard: shardId }, "the lease of a shard was lost");
        held.tenure.stop();
      }
    }
  }

  /** Out of reach of the database for so long that another may own the shard by now. */
  #endExpired(): void {
    const now = this.#options.clock.monotonic();
    for (const { until, tenure } of this.#held.values()) if (now >= until) tenure.stop();
  }

  async #claim(): Promise<void> {
    const { store, serverId } = this.#options;
    for (const { id, owner, leaseExpired } of await store.list()) {
      if (this.#held.has(id)) continue;
      if (owner === "" || owner === serverId || leaseExpired) await this.#take(id);
    }
  }

  async #take(shardId: ShardId): Promise<void> {
    const { store, clock, serverId, serve, log } = this.#options;
    const asked = clock.monotonic();
    const claimed = await store.claim(shardId, serverId, LEASE_MS);
    if (claimed === null) return;
    const fence = { shardId, epoch: claimed.epoch };
    const lease = { until: asked + LEASE_MS };
    const tenure = serve(fence, () => clock.monotonic() < lease.until);
    // A large shard may load for longer than a lease lasts: it is renewed meanwhile.
    const ready = tenure.load();
    const ended = this.#tenure(fence, tenure, ready);
    this.#held.set(shardId, Object.assign(lease, { fence, tenure, ready, ended }));
    log.debug({ shard: shardId, epoch: fence.epoch }, "a shard was taken");
  }

  async #tenure(fence: Fence, tenure: Tenure, ready: Promise<void>): Promise<void> {
    try {
      await ready;
      await tenure.run();
    } catch (error) {
      this.#options.log.warn({ shard: fence.shardId, error }, "a shard could not be loaded");
    } finally {
      if (this.#held.get(fence.shardId)?.fence === fence) this.#held.delete(fence.shardId);
    }
  }
}
