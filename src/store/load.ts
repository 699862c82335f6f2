/** What the owner of a shard starts from. */
import type { OrganizationId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { readLimits } from "./limits.ts";
import { numberOf } from "./rows/column.ts";
import { JOB_COLUMNS, jobOf } from "./rows/job.ts";
import type { ShardId, ShardSnapshot } from "./store.ts";

/** Every job that has not ended is one with `purge_at IS NULL`: the head of the index jobs_by_purge. */
export const loadShard = async (engine: Engine, shardId: ShardId): Promise<ShardSnapshot> =>
  await engine.snapshot(async (knex) => {
    const shard = (await knex("shards").where("id", shardId).first()) as DatabaseRow | undefined;
    if (shard === undefined) throw new RangeError(`the database has no shard ${shardId}`);
    const rows = await knex<DatabaseRow>("jobs")
      .where("shard_id", shardId)
      .whereNull("purge_at")
      .select<DatabaseRow[]>(JOB_COLUMNS);
    const jobs = rows.map(jobOf);
    const organizations = new Set<OrganizationId>(jobs.map((job) => job.organizationId));
    return {
      epoch: numberOf(shard, "epoch"),
      revision: numberOf(shard, "revision"),
      jobs,
      organizations: await readLimits(knex, shardId, [...organizations]),
    };
  });
