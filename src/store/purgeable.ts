/** Ended jobs that retention may remove. */
import type { JobId, OrganizationId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { numberOf, textOf, textOrNull } from "./rows/column.ts";
import { labelsOf } from "./rows/job.ts";
import type { PurgedJob, ShardId } from "./store.ts";

/** A range of jobs_by_purge. */
export const readPurgeable = async (
  { knex, textOfBytes }: Engine,
  shardId: ShardId,
  now: Millis,
  limit: number,
): Promise<PurgedJob[]> => {
  const rows = (await knex({ j: "jobs" })
    .leftJoin({ s: "job_specs" }, (on) => {
      void on
        .on("s.shard_id", "j.shard_id")
        .on("s.organization_id", "j.organization_id")
        .on("s.job_id", "j.id");
    })
    .select("j.organization_id", "j.id", "j.revision", "j.labels", "j.output_count")
    .select(textOfBytes("request_id"))
    .where("j.shard_id", shardId)
    .where("j.purge_at", "<=", now)
    .orderBy("j.purge_at")
    .limit(limit)) as DatabaseRow[];
  return rows.map((row) => ({
    organizationId: textOf(row, "organization_id") as OrganizationId,
    id: textOf(row, "id") as JobId,
    revision: numberOf(row, "revision"),
    labels: labelsOf(textOrNull(row, "labels")),
    outputCount: numberOf(row, "output_count"),
    requestId: textOrNull(row, "request_id") ?? "",
  }));
};
