/** Reads of hooks and of what they still owe. */
import type { DeliveryId, JobId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { DELIVERY_STATES } from "./rows/codes.ts";
import { textOf } from "./rows/column.ts";
import { hookOf } from "./rows/hook.ts";
import type { HookStore, Place } from "./store.ts";

const inPlace = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  shard_id: shardId,
  organization_id: organizationId,
});

export const createHookStore = ({ knex, readBy }: Engine): HookStore => ({
  find: async (place, id) => {
    const query = knex("hooks").where({ ...inPlace(place), id });
    const row = (await query.first()) as DatabaseRow | undefined;
    return row === undefined ? null : hookOf(row);
  },
  list: async (place, { after, limit }) => {
    const query = knex("hooks").where(inPlace(place)).orderBy("id").limit(limit);
    if (after !== null) void query.where("id", ">", after);
    return ((await query) as DatabaseRow[]).map(hookOf);
  },
  pending: async (place, id, { after, limit }) => {
    const query = knex(readBy("deliveries", "deliveries_by_hook"))
      .select("id", "job_id")
      .where({ ...inPlace(place), hook_id: id, state: DELIVERY_STATES.numbers.PENDING })
      .orderBy("id")
      .limit(limit);
    if (after !== null) void query.where("id", ">", after);
    return ((await query) as DatabaseRow[]).map((row) => ({
      id: textOf(row, "id") as DeliveryId,
      jobId: textOf(row, "job_id") as JobId | "",
    }));
  },
});
