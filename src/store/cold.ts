/** Rows that an owner does not hold in memory. */
import type { Knex } from "knex";

import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { readLimits } from "./limits.ts";
import { ATTRIBUTE_COLUMNS, attributeOf } from "./rows/attribute.ts";
import { numberOf, textOf } from "./rows/column.ts";
import { JOB_COLUMNS, jobOf } from "./rows/job.ts";
import { requestOf } from "./rows/request.ts";
import { scheduleOf } from "./rows/schedule.ts";
import { specOf } from "./rows/spec.ts";
import { readResults } from "./results.ts";
import { readDeliveries, readSigningSecrets } from "./notices.ts";
import { type Key, KEYS_PER_READ, readByKey } from "./read-by-key.ts";
import type { ColdRows, ColdWanted, JobKey, ShardId } from "./store.ts";
import { readUntold } from "./unfinished.ts";
import { readWorkflows } from "./workflows.ts";

const readAttributes = async (
  { knex, textOfBytes }: Engine,
  shardId: ShardId,
  wanted: ColdWanted["attributes"],
): Promise<DatabaseRow[]> => {
  const rows: DatabaseRow[] = [];
  for (let at = 0; at < wanted.length; at += KEYS_PER_READ) {
    const query = knex("user_attributes").select([...ATTRIBUTE_COLUMNS, textOfBytes("value")]);
    for (const { organizationId, userId, name, value } of wanted.slice(at, at + KEYS_PER_READ)) {
      const key = { shard_id: shardId, organization_id: organizationId, user_id: userId };
      void query.orWhere({ ...key, name, value });
    }
    rows.push(...((await query) as DatabaseRow[]));
  }
  return rows;
};

/** Each user is a range of the primary key. */
const countAttributes = async (
  { knex }: Engine,
  shardId: ShardId,
  users: ColdWanted["attributeCounts"],
): Promise<ColdRows["attributeCounts"]> => {
  const counts: ColdRows["attributeCounts"][number][] = [];
  for (let at = 0; at < users.length; at += KEYS_PER_READ) {
    const query = knex("user_attributes")
      .select("organization_id", "user_id")
      .count({ attributes: "*" })
      .groupBy("organization_id", "user_id");
    for (const { organizationId, userId } of users.slice(at, at + KEYS_PER_READ)) {
      void query.orWhere({ shard_id: shardId, organization_id: organizationId, user_id: userId });
    }
    for (const row of (await query) as DatabaseRow[]) {
      counts.push({
        organizationId: textOf(row, "organization_id") as OrganizationId,
        userId: textOf(row, "user_id") as UserId,
        count: numberOf(row, "attributes"),
      });
    }
  }
  return counts;
};

/** Nobody but the owner changes these rows, so the reads need not be one snapshot. */
export const readCold = async (
  engine: Engine,
  shardId: ShardId,
  wanted: ColdWanted,
): Promise<ColdRows> => {
  const { knex, textOfBytes } = engine;
  const requestKeys = wanted.requests.map(({ organizationId, requestId }) => ({
    organizationId,
    id: requestId,
  }));
  const specColumns = [
    "organization_id",
    "job_id",
    "input",
    "script_hash",
    "bindings",
    "traceparent",
    textOfBytes("request_id"),
  ];
  const requestColumns = [
    "organization_id",
    textOfBytes("request_id"),
    "job_id",
    "fingerprint",
    "created_at",
  ];
  const read = async (
    table: string,
    id: string,
    columns: readonly (string | Knex.Raw)[],
    keys: readonly Key[] | readonly JobKey[],
  ): Promise<DatabaseRow[]> => await readByKey(knex, { table, id, columns }, shardId, keys);
  const [
    jobs,
    specs,
    results,
    requests,
    organizations,
    schedules,
    attributes,
    attributeCounts,
    workflows,
    deliveries,
    signingSecrets,
    untold,
  ] = await Promise.all([
    read("jobs", "id", JOB_COLUMNS, wanted.jobs),
    read("job_specs", "job_id", specColumns, wanted.specs),
    readResults(engine, shardId, wanted.results),
    read("job_requests", "request_id", requestColumns, requestKeys),
    readLimits(knex, shardId, wanted.organizations),
    read("schedules", "id", ["*"], wanted.schedules),
    readAttributes(engine, shardId, wanted.attributes),
    countAttributes(engine, shardId, wanted.attributeCounts),
    readWorkflows(engine, shardId, wanted.workflows),
    readDeliveries(engine, shardId, wanted.deliveries),
    readSigningSecrets(engine, shardId, wanted.signingSecrets),
    readUntold(engine, shardId, wanted.untold),
  ]);
  return {
    jobs: jobs.map(jobOf),
    specs: specs.map(specOf),
    results,
    requests: requests.map(requestOf),
    organizations,
    schedules: schedules.map(scheduleOf),
    attributes: attributes.map(attributeOf),
    attributeCounts,
    workflows,
    deliveries,
    signingSecrets,
    untold,
  };
};
