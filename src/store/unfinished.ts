/** What a commit left to later ones. */
import type { JobId, OrganizationId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { UnfinishedRow } from "../jobs/unfinished.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { readByKey } from "./read-by-key.ts";
import { UNFINISHED_KINDS } from "./rows/codes.ts";
import { numberOf, textOf } from "./rows/column.ts";
import { JOB_COLUMNS, jobOf } from "./rows/job.ts";
import { unfinishedOf } from "./rows/unfinished.ts";
import type { ColdWanted, ShardId, ShardSnapshot } from "./store.ts";

const { settle, tell } = UNFINISHED_KINDS.numbers;

/** Jobs that have not been settled: no more than one turn of an owner can end. */
export const readUnsettled = async ({ knex }: Engine, shardId: ShardId): Promise<JobRow[]> => {
  const rows = (await knex("unfinished")
    .select("organization_id", "id")
    .where({ shard_id: shardId, kind: settle })) as DatabaseRow[];
  const keys = rows.map((row) => ({
    organizationId: textOf(row, "organization_id") as OrganizationId,
    id: textOf(row, "id") as JobId,
  }));
  const read = { table: "jobs", id: "id", columns: JOB_COLUMNS };
  return (await readByKey(knex, read, shardId, keys)).map(jobOf);
};

/** How many changes hooks are still to be told of, by organization. */
export const countUntold = async (
  { knex }: Engine,
  shardId: ShardId,
): Promise<ShardSnapshot["untold"]> => {
  const rows = (await knex("unfinished")
    .select("organization_id")
    .count({ changes: "*" })
    .where({ shard_id: shardId, kind: tell })
    .groupBy("organization_id")) as DatabaseRow[];
  return new Map(
    rows.map((row) => [textOf(row, "organization_id") as OrganizationId, numberOf(row, "changes")]),
  );
};

/** The oldest of them. */
export const readUntold = async (
  { knex }: Engine,
  shardId: ShardId,
  wanted: ColdWanted["untold"],
): Promise<UnfinishedRow[]> => {
  const rows: DatabaseRow[] = [];
  for (const { organizationId, limit } of wanted) {
    const page = await knex("unfinished")
      .where({ shard_id: shardId, kind: tell, organization_id: organizationId })
      .orderBy("id")
      .limit(limit);
    rows.push(...(page as DatabaseRow[]));
  }
  return rows.map(unfinishedOf);
};
