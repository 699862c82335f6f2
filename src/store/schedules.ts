/** Reads of schedules; the owner of their shard writes them. */
import type { Knex } from "knex";

import type { Millis } from "../jobs/job.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { numberOf } from "./rows/column.ts";
import { scheduleOf } from "./rows/schedule.ts";
import type { Place, ScheduleStore, ShardId } from "./store.ts";

const inPlace = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  shard_id: shardId,
  organization_id: organizationId,
});

/**
 * The keys of what is due longest in one shard, in the order of schedules_by_time. Read for all shards
 * at once, and with their specs, MariaDB would fetch and sort everything that is due.
 */
const headOf = (knex: Knex, shardId: ShardId, now: Millis, limit: number): Knex.QueryBuilder =>
  knex("schedules")
    .select("shard_id", "organization_id", "id", "next_fire_at")
    .where("shard_id", shardId)
    .where("next_fire_at", "<=", now)
    .orderBy("next_fire_at")
    .limit(limit);

export const createScheduleStore = ({ knex }: Engine): ScheduleStore => ({
  find: async (place, id) => {
    const query = knex("schedules").where({ ...inPlace(place), id });
    const row = (await query.first()) as DatabaseRow | undefined;
    return row === undefined ? null : scheduleOf(row);
  },
  list: async (place, visibleTo, { after, limit }) => {
    const query = knex("schedules").where(inPlace(place)).orderBy("id").limit(limit);
    if (after !== null) void query.where("id", ">", after);
    if (visibleTo !== null) {
      void query.where((mine) => {
        void mine.where("creator_id", visibleTo).orWhere("run_as", visibleTo);
      });
    }
    return ((await query) as DatabaseRow[]).map(scheduleOf);
  },
  count: async (place) => {
    const [row] = (await knex("schedules")
      .where(inPlace(place))
      .count({ n: "*" })) as DatabaseRow[];
    return row === undefined ? 0 : numberOf(row, "n");
  },
  due: async (shardIds, now, limit) => {
    const [first, ...others] = shardIds.map((shardId, at) =>
      knex.from(headOf(knex, shardId, now, limit).as(`p${at}`)).select("*"),
    );
    if (first === undefined) return [];
    const heads = others.length === 0 ? first : knex.unionAll([first, ...others]);
    const query = knex
      .from(heads.orderBy("next_fire_at").limit(limit).as("k"))
      .crossJoin(knex.raw("schedules AS s"))
      .whereRaw("s.shard_id = k.shard_id AND s.organization_id = k.organization_id AND s.id = k.id")
      .select("s.*")
      .orderBy("k.next_fire_at");
    return ((await query) as DatabaseRow[]).map(scheduleOf);
  },
});
