/** Workflows that retention may remove, with what is left of their jobs. */
import type { JobId, OrganizationId, WorkflowId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { numberOf, textOf, textOrNull } from "./rows/column.ts";
import { labelsOf } from "./rows/job.ts";
import type { PurgeableWorkflow, PurgedJob, PurgedWorkflow, ShardId } from "./store.ts";

/** Workflows of one read. */
const WORKFLOWS = 20;

const readJobs = async (
  { knex, textOfBytes }: Engine,
  shardId: ShardId,
  { organizationId, id: workflowId }: PurgedWorkflow,
  limit: number,
): Promise<PurgedJob[]> => {
  const rows = (await knex({ w: "workflow_steps" })
    .join({ j: "jobs" }, (on) => {
      void on
        .on("j.shard_id", "w.shard_id")
        .on("j.organization_id", "w.organization_id")
        .on("j.id", "w.job_id");
    })
    .leftJoin({ s: "job_specs" }, (on) => {
      void on
        .on("s.shard_id", "j.shard_id")
        .on("s.organization_id", "j.organization_id")
        .on("s.job_id", "j.id");
    })
    .select("j.id", "j.revision", "j.labels", "j.output_count", textOfBytes("request_id"))
    .where({ "w.shard_id": shardId, "w.organization_id": organizationId })
    .where("w.workflow_id", workflowId)
    .orderBy("w.position")
    .limit(limit)) as DatabaseRow[];
  return rows.map((row) => ({
    organizationId,
    id: textOf(row, "id") as JobId,
    revision: numberOf(row, "revision"),
    labels: labelsOf(textOrNull(row, "labels")),
    outputCount: numberOf(row, "output_count"),
    requestId: textOrNull(row, "request_id") ?? "",
  }));
};

/** A range of workflows_by_purge, then for each workflow one of the primary keys. */
export const readPurgeableWorkflows = async (
  engine: Engine,
  shardId: ShardId,
  now: Millis,
  limit: number,
): Promise<PurgeableWorkflow[]> => {
  const rows = (await engine
    .knex("workflows")
    .select("organization_id", "id", "revision", engine.textOfBytes("request_id"))
    .where("shard_id", shardId)
    .where("purge_at", "<=", now)
    .orderBy("purge_at")
    .limit(WORKFLOWS)) as DatabaseRow[];
  const found: PurgeableWorkflow[] = [];
  let room = limit;
  for (const row of rows) {
    if (room <= 0) break;
    const workflow: PurgedWorkflow = {
      organizationId: textOf(row, "organization_id") as OrganizationId,
      id: textOf(row, "id") as WorkflowId,
      revision: numberOf(row, "revision"),
      requestId: textOf(row, "request_id"),
    };
    const jobs = await readJobs(engine, shardId, workflow, room + 1);
    found.push({ workflow, jobs: jobs.slice(0, room), isWhole: jobs.length <= room });
    room -= jobs.length;
  }
  return found;
};
