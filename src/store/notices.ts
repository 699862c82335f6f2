/** Hooks, the outbox, and the secrets that sign it. */
import type { DeliveryRow, SigningSecretRow } from "../jobs/delivery.ts";
import type { HookRow } from "../jobs/hook.ts";
import type { OrganizationId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine, Transaction } from "./engine.ts";
import { readByKey } from "./read-by-key.ts";
import { textOf } from "./rows/column.ts";
import {
  DELETE_DELIVERY,
  DELETE_SIGNING_SECRET,
  DELETE_TRIES,
  deliveryOf,
  INSERT_TRY,
  signingSecretOf,
  UPSERT_DELIVERY,
  UPSERT_SIGNING_SECRET,
} from "./rows/delivery.ts";
import { DELETE_HOOK, hookOf, UPSERT_HOOK } from "./rows/hook.ts";
import type { DeliveryKey, HookKey, ShardChanges, ShardId } from "./store.ts";
import { writeRows } from "./write-rows.ts";

export const writeNotices = async (
  transaction: Transaction,
  shardId: ShardId,
  changes: ShardChanges,
): Promise<void> => {
  await writeRows(transaction, shardId, DELETE_TRIES, changes.purgedDeliveries);
  await writeRows(transaction, shardId, DELETE_DELIVERY, changes.purgedDeliveries);
  await writeRows(transaction, shardId, UPSERT_HOOK, changes.hooks);
  await writeRows(transaction, shardId, DELETE_HOOK, changes.removedHooks);
  await writeRows(transaction, shardId, UPSERT_DELIVERY, changes.deliveries);
  await writeRows(transaction, shardId, INSERT_TRY, changes.tries);
  await writeRows(transaction, shardId, UPSERT_SIGNING_SECRET, changes.signingSecrets);
  await writeRows(transaction, shardId, DELETE_SIGNING_SECRET, changes.removedSigningSecrets);
};

export const readDeliveries = async (
  { knex }: Engine,
  shardId: ShardId,
  keys: readonly DeliveryKey[],
): Promise<DeliveryRow[]> => {
  const read = { table: "deliveries", id: "id", columns: ["*"] };
  return (await readByKey(knex, read, shardId, keys)).map(deliveryOf);
};

export const readSigningSecrets = async (
  { knex }: Engine,
  shardId: ShardId,
  keys: readonly HookKey[],
): Promise<SigningSecretRow[]> => {
  const read = { table: "signing_secrets", id: "hook_id", columns: ["*"] };
  return (await readByKey(knex, read, shardId, keys)).map(signingSecretOf);
};

/** All hooks of these organizations. */
export const readHooks = async (
  knex: Engine["knex"],
  shardId: ShardId,
  ids: readonly OrganizationId[],
): Promise<HookRow[]> =>
  (
    (await knex("hooks")
      .where("shard_id", shardId)
      .whereIn("organization_id", ids)) as DatabaseRow[]
  ).map(hookOf);

/** Organizations whose numbers somebody watches, whether they have jobs or not. */
export const readWatched = async (
  knex: Engine["knex"],
  shardId: ShardId,
): Promise<OrganizationId[]> => {
  // Hooks are few, and these are read once for each load. What a caller wrote has its quotes escaped.
  const rows = (await knex("hooks")
    .distinct("organization_id")
    .where("shard_id", shardId)
    .where("event", "like", '%"kind":"threshold"%')) as DatabaseRow[];
  return rows.map((row) => textOf(row, "organization_id") as OrganizationId);
};
