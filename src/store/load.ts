/** What the owner of a shard starts from. */
import type { Knex } from "knex";

import type { OrganizationId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import { Sharing } from "../jobs/sharing.ts";
import { heardAll } from "../runtime/event-loop.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { readLimits } from "./limits.ts";
import { readRollups } from "./points.ts";
import { numberOf } from "./rows/column.ts";
import { JOB_COLUMNS, jobOf } from "./rows/job.ts";
import type { ShardId, ShardSnapshot } from "./store.ts";
import { readWatched } from "./notices.ts";
import { countUntold, readUnsettled } from "./unfinished.ts";
import { readActiveWorkflows } from "./workflows.ts";

/** About a tenth of a second on SQLite, which answers while nothing else happens in the process. */
const PAGE = 5_000;

type ShardRow = { readonly epoch: number; readonly revision: number };

const readShard = async (knex: Knex, shardId: ShardId): Promise<ShardRow> => {
  const row = (await knex("shards").where("id", shardId).first()) as DatabaseRow | undefined;
  if (row === undefined) throw new RangeError(`the database has no shard ${shardId}`);
  return { epoch: numberOf(row, "epoch"), revision: numberOf(row, "revision") };
};

/** Every job that has not ended is one with `purge_at IS NULL`: the head of the index jobs_by_purge. */
export const pageOfActive = (
  { knex, indexTail, readBy }: Engine,
  shardId: ShardId,
  last: DatabaseRow | undefined,
): Knex.QueryBuilder => {
  // MariaDB would walk the primary key, past all the jobs that have ended.
  const page = knex<DatabaseRow>(readBy("jobs", "jobs_by_purge"))
    .select([...new Set([...JOB_COLUMNS, ...indexTail])])
    .where("shard_id", shardId)
    .whereNull("purge_at")
    .orderBy([...indexTail])
    .limit(PAGE);
  if (last === undefined) return page;
  return page.where((after) => {
    indexTail.forEach((column, index) => {
      const equal = indexTail.slice(0, index).map((name) => [name, last[name] ?? null] as const);
      void after.orWhere((alternative) => {
        void alternative.where(Object.fromEntries(equal)).where(column, ">", last[column] ?? null);
      });
    });
  });
};

const readActive = async (engine: Engine, shardId: ShardId): Promise<JobRow[]> => {
  const sharing = new Sharing();
  const jobs: JobRow[] = [];
  let last: DatabaseRow | undefined;
  for (;;) {
    const rows = (await pageOfActive(engine, shardId, last)) as DatabaseRow[];
    for (const row of rows) jobs.push(sharing.row(jobOf(row)));
    last = rows.at(-1);
    if (rows.length < PAGE) return jobs;
    // A million jobs take longer than a lease lasts: it has to be renewed meanwhile.
    await heardAll();
  }
};

/**
 * In pages, and in no transaction, for that would keep SQLite's one connection from all others for as
 * long as it takes. What is read is still one state: whoever calls has the lease, so nothing changes
 * but by a commit of its own that was thought to have failed, and that shows in the revision.
 */
export const loadShard = async (engine: Engine, shardId: ShardId): Promise<ShardSnapshot> => {
  const { knex } = engine;
  let shard = await readShard(knex, shardId);
  for (;;) {
    const jobs = await readActive(engine, shardId);
    const unsettled = await readUnsettled(engine, shardId);
    const untold = await countUntold(engine, shardId);
    const ids = new Set<OrganizationId>(jobs.map((job) => job.organizationId));
    for (const { organizationId } of unsettled) ids.add(organizationId);
    for (const id of untold.keys()) ids.add(id);
    for (const id of await readWatched(knex, shardId)) ids.add(id);
    const organizations = await readLimits(knex, shardId, [...ids]);
    const workflows = await readActiveWorkflows(engine, shardId);
    const now = await readShard(knex, shardId);
    // Another epoch: the lease is lost, and what was read is worth nothing anyway.
    if (now.epoch !== shard.epoch || now.revision === shard.revision) {
      const metricsClosedUntil = (await readRollups(knex, shardId)).HOUR ?? 0;
      const rest = { unsettled, untold, metricsClosedUntil };
      return { ...now, jobs, organizations, workflows, ...rest };
    }
    shard = now;
  }
};
