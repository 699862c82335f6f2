import type { Knex } from "knex";

import type { OrganizationId } from "../jobs/ids.ts";
import { ORGANIZATION_DEFAULTS } from "../jobs/limits.ts";
import type { DatabaseRow } from "./engine.ts";
import { readHooks } from "./notices.ts";
import { breakerOf } from "./rows/breaker.ts";
import { numberOf, numberOrNull, textOf } from "./rows/column.ts";
import type { OrganizationLimits, ShardId } from "./store.ts";

const byOrganization = (rows: readonly DatabaseRow[]): Map<string, DatabaseRow[]> =>
  Map.groupBy(rows, (row) => textOf(row, "organization_id"));

/** The limits of each of `ids`, in their order, with the defaults where a row leaves them open. */
export const readLimits = async (
  knex: Knex,
  shardId: ShardId,
  ids: readonly OrganizationId[],
): Promise<OrganizationLimits[]> => {
  if (ids.length === 0) return [];
  const rows = (await knex("organizations")
    .select("id", "max_running", "max_queued", "weight", "retention_ms")
    .whereIn("id", ids)) as DatabaseRow[];
  const limited = (await knex("job_types")
    .select("organization_id", "name", "max_running")
    .whereIn("organization_id", ids)
    .whereNotNull("max_running")) as DatabaseRow[];
  const crashed = (await knex("type_breakers")
    .where("shard_id", shardId)
    .whereIn("organization_id", ids)
    .where("failures", ">", 0)) as DatabaseRow[];
  const hooks = Map.groupBy(
    await readHooks(knex, shardId, ids),
    ({ organizationId }) => organizationId,
  );
  const found = new Map(rows.map((row) => [textOf(row, "id"), row]));
  const [types, breakers] = [byOrganization(limited), byOrganization(crashed)];
  return ids.map((organizationId) => {
    const row = found.get(organizationId);
    const limit = (name: string, standard: number): number =>
      (row === undefined ? null : numberOrNull(row, name)) ?? standard;
    return {
      organizationId,
      maxRunning: limit("max_running", ORGANIZATION_DEFAULTS.maxRunning),
      maxQueued: limit("max_queued", ORGANIZATION_DEFAULTS.maxQueued),
      weight: limit("weight", ORGANIZATION_DEFAULTS.weight),
      retentionMs: limit("retention_ms", ORGANIZATION_DEFAULTS.retentionMs),
      types: new Map(
        (types.get(organizationId) ?? []).map((type) => [
          textOf(type, "name"),
          numberOf(type, "max_running"),
        ]),
      ),
      breakers: (breakers.get(organizationId) ?? []).map(breakerOf),
      hooks: hooks.get(organizationId) ?? [],
    };
  });
};
