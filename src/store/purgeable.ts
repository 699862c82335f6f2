/** What retention may remove. */
import type { Knex } from "knex";

import type { JobId, OrganizationId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { numberOf, textOf, textOrNull } from "./rows/column.ts";
import { labelsOf } from "./rows/job.ts";
import type { JobKey, Place, PurgedJob, ShardId } from "./store.ts";

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

/** A range of the primary key. */
export const readOutputLeft = async (
  { knex }: Engine,
  shardId: ShardId,
  { organizationId, id }: JobKey,
  limit: number,
): Promise<number[]> => {
  const rows = (await knex("job_output")
    .select("seq")
    .where({ shard_id: shardId, organization_id: organizationId, job_id: id })
    .orderBy("seq")
    .limit(limit)) as DatabaseRow[];
  return rows.map((row) => numberOf(row, "seq"));
};

/** Every UUIDv7 from before that moment is less than this text. */
const uuidsBefore = (at: Millis): string => {
  const time = at.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}`;
};

/** By the ids, which begin with their time: an index by time would cost every submission. */
export const removeAudit = async (
  { knex }: Engine,
  { shardId, organizationId }: Place,
  before: Millis,
  limit: number,
): Promise<number> => {
  const old = (): Knex.QueryBuilder =>
    knex("audit_log")
      .where({ shard_id: shardId, organization_id: organizationId })
      .where("id", "<", uuidsBefore(before));
  const rows = (await old().select("id").orderBy("id").limit(limit)) as DatabaseRow[];
  const last = rows.at(-1);
  // SQLite has no DELETE … LIMIT: up to the last one that was read.
  return last === undefined ? 0 : await old().where("id", "<=", textOf(last, "id")).delete();
};
