/** Points of metrics, how far they are rolled up, and who may read them. */
import type { Knex } from "knex";

import type { Millis } from "../jobs/job.ts";
import type { PointRow, Resolution, RollupRow } from "../jobs/metric.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import type { MetricStore, PointKey, PointsWanted, Rollups } from "./metric-store.ts";
import { insertAuditLine } from "./rows/audit.ts";
import { RESOLUTION_CODES } from "./rows/codes.ts";
import { numberOf } from "./rows/column.ts";
import { grantColumns, grantOf, pointOf, rollupOf } from "./rows/point.ts";
import type { Place, ShardId } from "./store.ts";

export const readRollups = async (knex: Knex, shardId: ShardId): Promise<Rollups> => {
  const rows = (await knex("metric_rollups").where("shard_id", shardId)) as DatabaseRow[];
  const found: Partial<Record<Resolution, RollupRow["until"]>> = {};
  for (const { resolution, until } of rows.map(rollupOf)) found[resolution] = until;
  return found;
};

const keyColumns = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  shard_id: shardId,
  organization_id: organizationId,
});

const ORDER = ["started_at", "type", "writer"];

/** A range of the primary key, in its order. */
const pointsQuery = (
  knex: Knex,
  place: Place,
  { resolution, from, until, types }: PointsWanted,
): Knex.QueryBuilder => {
  const query = knex("metric_points")
    .where({ ...keyColumns(place), resolution: RESOLUTION_CODES.numbers[resolution] })
    .where("started_at", ">=", from)
    .where("started_at", "<", until);
  if (types.length > 0) void query.whereIn("type", types);
  return query;
};

/** The page after a row. `from` is moved to its time, so that the range of the key begins there. */
const readPage = async (
  knex: Knex,
  place: Place,
  wanted: PointsWanted,
  after: PointKey | null,
  limit: number,
): Promise<PointRow[]> => {
  const from = after === null ? wanted.from : Math.max(wanted.from, after.at);
  const query = pointsQuery(knex, place, { ...wanted, from })
    .orderBy(ORDER)
    .limit(limit);
  if (after !== null) {
    const { at, type, writer } = after;
    void query.where((later) => {
      void later
        .where("started_at", ">", at)
        .orWhere((same) => {
          void same.where("started_at", at).where("type", ">", type);
        })
        .orWhere((same) => {
          void same.where({ started_at: at, type }).where("writer", ">", writer);
        });
    });
  }
  return ((await query) as DatabaseRow[]).map(pointOf);
};

const removePoints = async (
  knex: Knex,
  place: Place,
  resolution: Resolution,
  before: Millis,
  limit: number,
): Promise<number> => {
  const old = (): Knex.QueryBuilder =>
    pointsQuery(knex, place, { resolution, from: 0, until: before, types: [] });
  const rows = (await old()
    .select("started_at")
    .orderBy("started_at")
    .limit(limit)) as DatabaseRow[];
  const last = rows.at(-1);
  // SQLite has no DELETE … LIMIT: up to the last one that was read.
  if (last === undefined) return 0;
  return await old().where("started_at", "<=", numberOf(last, "started_at")).delete();
};

const grantRows = (knex: Knex, place: Place): Knex.QueryBuilder<DatabaseRow, DatabaseRow[]> =>
  knex<DatabaseRow, DatabaseRow[]>("metric_grants").where(keyColumns(place)).orderBy("user_id");

export const createMetricStore = ({ knex, now }: Engine): MetricStore => ({
  rollups: async (shardId) => await readRollups(knex, shardId),
  points: async (place, wanted, after, limit) => await readPage(knex, place, wanted, after, limit),
  oldest: async (shardId, resolution) => {
    const row = (await knex("metric_points")
      .where({ shard_id: shardId, resolution: RESOLUTION_CODES.numbers[resolution] })
      .min({ at: "started_at" })
      .first()) as DatabaseRow | undefined;
    return row === undefined || row["at"] === null ? null : numberOf(row, "at");
  },
  remove: async (place, resolution, before, limit) =>
    await removePoints(knex, place, resolution, before, limit),
  grants: async (place) => (await grantRows(knex, place)).map(grantOf),
  grantsOf: async (place, userIds) =>
    (await grantRows(knex, place).whereIn("user_id", userIds)).map(grantOf),
  putGrant: async (place, grant, most, line) =>
    await knex.transaction(async (transaction) => {
      // Written, not only locked: on a cluster of writers a lock alone is no conflict.
      await transaction("organizations")
        .where({ id: place.organizationId })
        .update({ changed_at: knex.raw(now) });
      const key = { ...keyColumns(place), user_id: grant.userId };
      const columns = grantColumns(grant);
      const changed = await transaction("metric_grants").where(key).update(columns);
      if (changed === 0) {
        const [row] = (await transaction("metric_grants")
          .where(keyColumns(place))
          .count({ grants: "*" })) as DatabaseRow[];
        if (row !== undefined && numberOf(row, "grants") >= most) return false;
        await transaction("metric_grants").insert({ ...key, ...columns });
      }
      await insertAuditLine(transaction, line);
      return true;
    }),
  removeGrant: async (place, userId, line) =>
    await knex.transaction(async (transaction) => {
      const key = { ...keyColumns(place), user_id: userId };
      const removed = await transaction("metric_grants").where(key).delete();
      if (removed > 0) await insertAuditLine(transaction, line);
      return removed > 0;
    }),
});
