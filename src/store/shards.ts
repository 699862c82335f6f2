/** Leases of shards, what their owners read, and the commit. */
import { commit } from "./commit.ts";
import { readCold } from "./cold.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { loadShard } from "./load.ts";
import { readPurgeableWorkflows } from "./purgeable-workflows.ts";
import { readOutputLeft, readPurgeable, removeAudit } from "./purgeable.ts";
import { numberOf, textOf } from "./rows/column.ts";
import type { Fence, ShardId, ShardRecord, ShardStore } from "./store.ts";

const recordOf = (row: DatabaseRow): ShardRecord => ({
  id: numberOf(row, "id"),
  epoch: numberOf(row, "epoch"),
  revision: numberOf(row, "revision"),
  owner: textOf(row, "owner"),
  leaseExpired: numberOf(row, "expired") === 1,
});

const list = async ({ knex, now }: Engine): Promise<ShardRecord[]> => {
  const rows = await knex<DatabaseRow>("shards")
    .select("id", "epoch", "revision", "owner")
    .select(knex.raw(`CASE WHEN lease_until <= ${now} THEN 1 ELSE 0 END AS expired`))
    .orderBy("id");
  return (rows as DatabaseRow[]).map(recordOf);
};

/**
 * The condition and the change are one statement, so of two claimants one finds no row. The row
 * stays locked until the commit: what is read after the update is what it left.
 */
const claim = async (
  { knex, now, alone }: Engine,
  shardId: ShardId,
  owner: string,
  leaseMs: number,
): Promise<{ readonly epoch: number; readonly revision: number } | null> =>
  await knex.transaction(async (transaction) => {
    const claimed = await transaction("shards")
      .where("id", shardId)
      .where((free) => {
        void free.whereIn("owner", ["", owner]).orWhereRaw(`lease_until <= ${now}`);
        if (alone) void free.orWhereRaw("1 = 1");
      })
      .update({
        epoch: transaction.raw("epoch + 1"),
        owner,
        lease_until: transaction.raw(`${now} + ?`, [leaseMs]),
      });
    if (claimed === 0) return null;
    const row = await transaction<DatabaseRow>("shards").where("id", shardId).first();
    if (row === undefined) return null;
    return { epoch: numberOf(row, "epoch"), revision: numberOf(row, "revision") };
  });

/**
 * One statement for each shard: each waits for the row lock of a commit that is under way, and one
 * transaction over all of them would make every shard wait for the slowest.
 */
const renew = async (
  { knex, now }: Engine,
  fences: readonly Fence[],
  owner: string,
  leaseMs: number,
): Promise<ShardId[]> => {
  const kept = await Promise.all(
    fences.map(async ({ shardId, epoch }) => {
      const found = await knex("shards")
        .where({ id: shardId, epoch, owner })
        .update({ lease_until: knex.raw(`${now} + ?`, [leaseMs]) });
      return found === 0 ? [] : [shardId];
    }),
  );
  return kept.flat();
};

/** The epoch stays: whoever claims next raises it. */
const release = async ({ knex }: Engine, fence: Fence, owner: string): Promise<void> => {
  await knex("shards")
    .where({ id: fence.shardId, epoch: fence.epoch, owner })
    .update({ owner: "", lease_until: 0 });
};

export const createShardStore = (engine: Engine): ShardStore => ({
  list: async () => await list(engine),
  claim: async (shardId, owner, leaseMs) => await claim(engine, shardId, owner, leaseMs),
  renew: async (fences, owner, leaseMs) => await renew(engine, fences, owner, leaseMs),
  release: async (fence, owner) => {
    await release(engine, fence, owner);
  },
  load: async (shardId) => await loadShard(engine, shardId),
  readCold: async (shardId, wanted) => await readCold(engine, shardId, wanted),
  purgeable: async (shardId, now, limit) => await readPurgeable(engine, shardId, now, limit),
  purgeableWorkflows: async (shardId, now, limit) =>
    await readPurgeableWorkflows(engine, shardId, now, limit),
  outputLeft: async (shardId, job, limit) => await readOutputLeft(engine, shardId, job, limit),
  removeAudit: async (place, before, limit) => await removeAudit(engine, place, before, limit),
  commit: async (fence, changes) => {
    await commit(engine, fence, changes);
  },
});
