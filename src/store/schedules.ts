/** Reads of schedules; the owner of their shard writes them. */
import type { DatabaseRow, Engine } from "./engine.ts";
import { numberOf } from "./rows/column.ts";
import { scheduleOf } from "./rows/schedule.ts";
import type { Place, ScheduleStore } from "./store.ts";

const inPlace = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  shard_id: shardId,
  organization_id: organizationId,
});

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
    const query = knex("schedules")
      .whereIn("shard_id", shardIds)
      .where("next_fire_at", "<=", now)
      .orderBy("next_fire_at")
      .limit(limit);
    return ((await query) as DatabaseRow[]).map(scheduleOf);
  },
});
