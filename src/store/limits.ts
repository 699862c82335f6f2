import type { Knex } from "knex";

import type { OrganizationId } from "../jobs/ids.ts";
import { ORGANIZATION_DEFAULTS } from "../jobs/limits.ts";
import type { DatabaseRow } from "./engine.ts";
import { numberOrNull, textOf } from "./rows/column.ts";
import type { OrganizationLimits } from "./store.ts";

/** The limits of each of `ids`, in their order, with the defaults where a row leaves them open. */
export const readLimits = async (
  knex: Knex,
  ids: readonly OrganizationId[],
): Promise<OrganizationLimits[]> => {
  if (ids.length === 0) return [];
  const rows = (await knex("organizations")
    .select("id", "max_running", "max_queued")
    .whereIn("id", ids)) as DatabaseRow[];
  const found = new Map(rows.map((row) => [textOf(row, "id"), row]));
  return ids.map((organizationId) => {
    const row = found.get(organizationId);
    const limit = (name: string): number | null =>
      row === undefined ? null : numberOrNull(row, name);
    return {
      organizationId,
      maxRunning: limit("max_running") ?? ORGANIZATION_DEFAULTS.maxRunning,
      maxQueued: limit("max_queued") ?? ORGANIZATION_DEFAULTS.maxQueued,
    };
  });
};
