import type { Millis } from "../jobs/job.ts";
import { intervalOf, POINT_RETENTION_MS, type Resolution } from "../jobs/metric.ts";
import { sleep } from "../runtime/clock.ts";
import { every, type Repetition } from "../runtime/every.ts";
import type { Log } from "../runtime/log.ts";
import { queuedOrganizations, sampleQueues } from "../shard/commands/metrics.ts";
import type { Rollups, ShardId } from "../store/store.ts";
import { type Owner, placesOf, type RollupOptions, rollUpShard } from "./metric-rollup.ts";

const ROUND_MS = 60_000;
const RETENTION_ROUND_MS = 60 * 60_000;
/** Organizations whose queues one command looks at. */
const SAMPLE = 20;
const REMOVE = 500;
const PAUSE_MS = 10;

export type UpkeepOptions = RollupOptions & {
  readonly log: Log;
  /** The owners of the shards that this server serves now. */
  readonly actors: ReadonlyMap<ShardId, Owner>;
};

/** What may go of a resolution: what is old enough, and stands in the coarser one already. */
export const removableBefore = (resolution: Resolution, now: Millis, rollups: Rollups): Millis => {
  const old = intervalOf(resolution, now - POINT_RETENTION_MS[resolution]);
  switch (resolution) {
    case "MINUTE":
      return Math.min(old, rollups.HOUR ?? 0);
    case "HOUR":
      return Math.min(old, rollups.DAY ?? 0);
    case "DAY":
      return old;
  }
};

/**
 * Keeps the points of the shards of this server: looks at queues that stand still once in a minute,
 * rolls minutes up into hours and hours into days, and removes what is old. Holds nothing: how far it
 * has come stands in the database.
 */
export const createMetricUpkeep = (options: UpkeepOptions): Repetition => {
  const { actors, clock, log, metrics } = options;
  const stopping = new AbortController();

  const sample = async (owner: Owner): Promise<void> => {
    const queued = await owner.perform(queuedOrganizations());
    for (let at = 0; at < queued.length && !owner.isBusy; at += SAMPLE) {
      await owner.perform(sampleQueues(queued.slice(at, at + SAMPLE)));
    }
  };

  const keep = async (shardId: ShardId, owner: Owner): Promise<void> => {
    if (owner.isBusy) return;
    await sample(owner);
    await rollUpShard(options, shardId, owner, "HOUR");
    await rollUpShard(options, shardId, owner, "DAY");
  };

  const keepAll = async (): Promise<void> => {
    for (const [shardId, owner] of actors) {
      if (stopping.signal.aborted) return;
      try {
        await keep(shardId, owner);
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.warn({ shard: shardId, error }, "points were not rolled up; it is tried again");
      }
    }
  };

  const removeOld = async (): Promise<void> => {
    for (const shardId of actors.keys()) {
      const rollups = await metrics.rollups(shardId);
      for await (const place of placesOf(options, shardId)) {
        for (const resolution of ["MINUTE", "HOUR", "DAY"] as const) {
          const before = removableBefore(resolution, clock.now(), rollups);
          while (actors.has(shardId)) {
            if (stopping.signal.aborted) return;
            if ((await metrics.remove(place, resolution, before, REMOVE)) < REMOVE) break;
            await sleep(clock, PAUSE_MS);
          }
        }
      }
    }
  };

  const repeat = { clock, log };
  const points = every({ ...repeat, name: "roll-up of metrics", ms: ROUND_MS, run: keepAll });
  const retention = every({
    ...repeat,
    name: "retention of metrics",
    ms: RETENTION_ROUND_MS,
    run: removeOld,
  });
  return {
    start: () => {
      points.start();
      retention.start();
    },
    stop: async () => {
      stopping.abort();
      await points.stop();
      await retention.stop();
    },
  };
};
