/** Reads of notices. */
import type { Knex } from "knex";

import type { DeliveryId, OrganizationId } from "../jobs/ids.ts";
import type { DeliveryStore, Receiver } from "./delivery-store.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { DELIVERY_STATES } from "./rows/codes.ts";
import { numberOf, textOf } from "./rows/column.ts";
import { deliveryOf, signingSecretOf, tryOf } from "./rows/delivery.ts";
import type { Place, ShardId } from "./store.ts";

const inPlace = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  shard_id: shardId,
  organization_id: organizationId,
});

/** Of one notice: ten to a schedule, and as many again each time that somebody sends it again. */
const MOST_TRIES = 1_000;

type Waiting = Receiver & { readonly nextTryAt: number };

const RECEIVER = ["origin", "organization_id", "next_try_at"];

/**
 * The next one in the order of deliveries_by_time: two seeks in that index, whatever waits for the
 * others. (SQLite has no skip scan for GROUP BY.) What has ended has no origin.
 */
const nextReceiver = async (
  { knex }: Engine,
  shardId: ShardId,
  after: Receiver | null,
): Promise<Waiting | null> => {
  const ofShard = (): Knex.QueryBuilder =>
    knex("deliveries").select(RECEIVER).where("shard_id", shardId).orderBy(RECEIVER).limit(1);
  const { origin = "", organizationId = "" } = after ?? {};
  const sameOrigin = ofShard().where({ origin }).where("organization_id", ">", organizationId);
  const [same] = (origin === "" ? [] : await sameOrigin) as DatabaseRow[];
  const [row = same] = (
    same === undefined ? await ofShard().where("origin", ">", origin) : []
  ) as DatabaseRow[];
  if (row === undefined) return null;
  return {
    origin: textOf(row, "origin"),
    organizationId: textOf(row, "organization_id") as OrganizationId,
    nextTryAt: numberOf(row, "next_try_at"),
  };
};

export const createDeliveryStore = (engine: Engine): DeliveryStore => {
  const { knex } = engine;
  return {
    find: async (place, id) => {
      const query = knex("deliveries").where({ ...inPlace(place), id });
      const row = (await query.first()) as DatabaseRow | undefined;
      return row === undefined ? null : deliveryOf(row);
    },
    list: async (place, { of, states, callbacksOnly }, { before, limit }) => {
      const query = knex("deliveries")
        .where("organization_id", place.organizationId)
        .where("jobId" in of ? { job_id: of.jobId } : { hook_id: of.hookId })
        .where("shard_id", place.shardId)
        .orderBy("id", "desc")
        .limit(limit);
      if (callbacksOnly) void query.where("hook_id", "");
      if (before !== null) void query.where("id", "<", before);
      if (states.length > 0) {
        const numbers = states.map((state) => DELIVERY_STATES.numbers[state]);
        void query.whereIn("state", numbers);
      }
      return ((await query) as DatabaseRow[]).map(deliveryOf);
    },
    tries: async (place, id) => {
      const query = knex("delivery_tries")
        .where({ ...inPlace(place), delivery_id: id })
        .orderBy("try", "desc")
        .limit(MOST_TRIES);
      return ((await query) as DatabaseRow[]).map(tryOf).toReversed();
    },
    receivers: async (shardId, after, limit) => {
      const found: Waiting[] = [];
      for (let last = after; found.length < limit; last = found.at(-1) ?? null) {
        const next = await nextReceiver(engine, shardId, last);
        if (next === null) break;
        found.push(next);
      }
      return found;
    },
    waiting: async (shardId, { origin, organizationId }, except, limit) => {
      const query = knex("deliveries")
        .where({ shard_id: shardId, origin, organization_id: organizationId })
        .whereNotNull("next_try_at")
        .orderBy("next_try_at")
        .limit(limit);
      if (except.length > 0) void query.whereNotIn("id", except as DeliveryId[]);
      return ((await query) as DatabaseRow[]).map(deliveryOf);
    },
    secrets: async (place, hookId) => {
      const query = knex("signing_secrets")
        .where({ ...inPlace(place), hook_id: hookId })
        .orderBy("id");
      return ((await query) as DatabaseRow[]).map(signingSecretOf);
    },
    purgeable: async (shardId, now, limit) => {
      const query = knex("deliveries")
        .select("organization_id", "id")
        .where("shard_id", shardId)
        .where("purge_at", "<=", now)
        .orderBy("purge_at")
        .limit(limit);
      return ((await query) as DatabaseRow[]).map((row) => ({
        organizationId: textOf(row, "organization_id") as OrganizationId,
        id: textOf(row, "id") as DeliveryId,
      }));
    },
  };
};
