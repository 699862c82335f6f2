import type { OrganizationId, WorkflowId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { numberOf, textOf } from "./rows/column.ts";
import type { PurgeableWorkflow, ShardId } from "./store.ts";

/** Workflows that retention may remove: a range of workflows_by_purge. */
export const readPurgeableWorkflows = async (
  { knex }: Engine,
  shardId: ShardId,
  now: Millis,
  limit: number,
): Promise<PurgeableWorkflow[]> => {
  const rows = (await knex("workflows")
    .select("organization_id", "id", "step_count")
    .where("shard_id", shardId)
    .where("purge_at", "<=", now)
    .orderBy("purge_at")
    .limit(limit)) as DatabaseRow[];
  return rows.map((row) => ({
    organizationId: textOf(row, "organization_id") as OrganizationId,
    id: textOf(row, "id") as WorkflowId,
    stepCount: numberOf(row, "step_count"),
  }));
};
