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
import type { ColdRows, ColdWanted, JobKey, ShardId } from "./store.ts";

/** Keeps a statement small, and below the 1,000 alternatives that SQLite takes. */
const KEYS_PER_READ = 200;

type Key = { readonly organizationId: OrganizationId; readonly id: string };

const byOrganization = (keys: readonly Key[]): Map<OrganizationId, string[]> => {
  const groups = new Map<OrganizationId, string[]>();
  for (const { organizationId, id } of keys) {
    const group = groups.get(organizationId);
    if (group === undefined) groups.set(organizationId, [id]);
    else group.push(id);
  }
  return groups;
};

/** Rows by primary key; each alternative names all of the key's columns, so that it is a range of it. */
const readByKey = async (
  knex: Knex,
  read: {
    readonly table: string;
    readonly id: string;
    readonly columns: readonly (string | Knex.Raw)[];
  },
  shardId: ShardId,
  keys: readonly Key[],
): Promise<DatabaseRow[]> => {
  const rows: DatabaseRow[] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
    const groups = byOrganization(keys.slice(at, at + KEYS_PER_READ));
    const query = knex(read.table).select(read.columns);
    for (const [organizationId, ids] of groups) {
      void query.orWhere((alternative) => {
        void alternative
          .where({ shard_id: shardId, organization_id: organizationId })
          .whereIn(read.id, ids);
      });
    }
    rows.push(...((await query) as DatabaseRow[]));
  }
  return rows;
};

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
    "callback_url",
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
  const [jobs, specs, requests, organizations, schedules, attributes, attributeCounts] =
    await Promise.all([
      read("jobs", "id", JOB_COLUMNS, wanted.jobs),
      read("job_specs", "job_id", specColumns, wanted.specs),
      read("job_requests", "request_id", requestColumns, requestKeys),
      readLimits(knex, shardId, wanted.organizations),
      read("schedules", "id", ["*"], wanted.schedules),
      readAttributes(engine, shardId, wanted.attributes),
      countAttributes(engine, shardId, wanted.attributeCounts),
    ]);
  return {
    jobs: jobs.map(jobOf),
    specs: specs.map(specOf),
    requests: requests.map(requestOf),
    organizations,
    schedules: schedules.map(scheduleOf),
    attributes: attributes.map(attributeOf),
    attributeCounts,
  };
};
