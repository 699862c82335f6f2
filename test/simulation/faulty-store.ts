import type { ScheduleRow } from "../../src/jobs/schedule.ts";
import type { IdentityStore, ShardStore, Store } from "../../src/store/store.ts";
import type { Ledger } from "./ledger.ts";
import type { Waits } from "./waits.ts";
import type { World } from "./world.ts";

/** How often each thing goes wrong, per call. */
export type Faults = {
  /** Says that it failed, and did nothing. */
  readonly fails: number;
  /** Did it, and says that it failed. */
  readonly doesAndFails: number;
  /** Says that it committed, and did not. No database may do that: the simulator must notice. */
  readonly lies: number;
  /** Takes seconds instead of milliseconds. */
  readonly stalls: number;
};

export const NO_FAULTS: Faults = { fails: 0, doesAndFails: 0, lies: 0, stalls: 0 };

export class SimulatedFault extends Error {
  override readonly name = "SimulatedFault";
  /** As the errors of a real database that is out of reach say it. */
  readonly isTemporary = true;
}

/**
 * The real store behind a bad network: every call takes simulated time and may fail before or
 * after it took effect. Calls of a dead server never come back; whether what they were doing took
 * effect is left to chance, as it is in life.
 */
export const faultyStore = (
  real: Store,
  options: {
    readonly world: World;
    readonly ledger: Ledger;
    readonly isAlive: () => boolean;
    readonly faults: () => Faults;
    readonly waits: Waits;
    /** Until when nothing of this server reaches the database. */
    readonly cutOffUntil: () => number;
  },
): Store => {
  const { world, ledger, isAlive, faults, cutOffUntil, waits } = options;
  let dueBefore: ScheduleRow[] = [];

  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    const { dice } = world;
    const { fails, doesAndFails, stalls } = faults();
    const stall = dice.chance(stalls) ? dice.between(1_000, 14_000) : 0;
    // Either way, and the one back is the more treacherous: what is told then is old.
    const [there, back] = dice.chance(0.5) ? [stall, 0] : [0, stall];
    const fate = dice.fraction();
    const survivesDeath = dice.chance(0.5);
    await world.pause(Math.max(there + dice.between(0, 8), cutOffUntil() - world.now));
    if (!isAlive() && !survivesDeath) return await never();
    if (fate < fails) throw new SimulatedFault("the database did not answer");
    const result = await world.real(work);
    await world.pause(back + dice.between(0, 4));
    if (!isAlive()) return await never();
    if (fate < fails + doesAndFails) throw new SimulatedFault("the answer was lost");
    return result;
  };

  const shards: ShardStore = {
    list: async () => await call(async () => await real.shards.list()),
    claim: async (...args) => await call(async () => await real.shards.claim(...args)),
    renew: async (...args) => await call(async () => await real.shards.renew(...args)),
    release: async (...args) => {
      await call(async () => {
        await real.shards.release(...args);
      });
    },
    load: async (...args) => await call(async () => await real.shards.load(...args)),
    readCold: async (...args) => await call(async () => await real.shards.readCold(...args)),
    purgeable: async (...args) => {
      const jobs = await call(async () => await real.shards.purgeable(...args));
      // Long enough for somebody to revive one of them.
      await world.pause(world.dice.chance(0.3) ? world.dice.between(100, 4_000) : 0);
      return jobs;
    },
    purgeableWorkflows: async (...args) => {
      const workflows = await call(async () => await real.shards.purgeableWorkflows(...args));
      await world.pause(world.dice.chance(0.3) ? world.dice.between(100, 4_000) : 0);
      return workflows;
    },
    outputLeft: async (...args) => await call(async () => await real.shards.outputLeft(...args)),
    removeAudit: async (...args) => await call(async () => await real.shards.removeAudit(...args)),
    commit: async (fence, changes) => {
      const lies = world.dice.chance(faults().lies);
      await call(async () => {
        if (lies) return;
        await real.shards.commit(fence, changes);
        ledger.committed(fence, changes, waits);
      });
    },
  };
  const identity: IdentityStore = {
    ...real.identity,
    findToken: async (id) => await call(async () => await real.identity.findToken(id)),
    changesSince: async (since) => await call(async () => await real.identity.changesSince(since)),
    touchToken: async () => {},
    revokeToken: async (id, at) =>
      await call(async () => {
        const revoked = await real.identity.revokeToken(id, at);
        if (revoked) ledger.revokedAt.set(id, world.now);
        return revoked;
      }),
  };
  return {
    ...real,
    shards,
    identity,
    jobs: {
      ...real.jobs,
      result: async (...args) => await call(async () => await real.jobs.result(...args)),
    },
    deliveries: {
      ...real.deliveries,
      receivers: async (...args) =>
        await call(async () => await real.deliveries.receivers(...args)),
      waiting: async (...args) => await call(async () => await real.deliveries.waiting(...args)),
      secrets: async (...args) => await call(async () => await real.deliveries.secrets(...args)),
      purgeable: async (...args) =>
        await call(async () => await real.deliveries.purgeable(...args)),
    },
    schedules: {
      ...real.schedules,
      // Now and then it is read from a replica that lags behind.
      due: async (...args) => {
        const lags = world.dice.chance(0.1);
        const now = await call(async () => await real.schedules.due(...args));
        const told = lags ? dueBefore : now;
        dueBefore = now;
        return told;
      },
    },
    metrics: {
      ...real.metrics,
      points: async (...args) => await call(async () => await real.metrics.points(...args)),
      rollups: async (...args) => await call(async () => await real.metrics.rollups(...args)),
      oldest: async (...args) => await call(async () => await real.metrics.oldest(...args)),
    },
    secrets: {
      keep: async (...args) => await call(async () => await real.secrets.keep(...args)),
      names: async (...args) => await call(async () => await real.secrets.names(...args)),
      remove: async (...args) => {
        await call(async () => {
          await real.secrets.remove(...args);
        });
      },
    },
    servers: {
      announce: async () => {},
      live: async () => [],
      withdraw: async () => {},
    },
    ping: async () => {
      await real.ping();
    },
    close: async () => {},
  };
};

const never = async <T>(): Promise<T> => await new Promise<T>(() => {});
