import type { Knex } from "knex";

import type { OrganizationId } from "../jobs/ids.ts";
import type { DatabaseRow } from "./engine.ts";
import type { ShardId } from "./store.ts";

/** Keeps a statement small, and below the 1,000 alternatives that SQLite takes. */
export const KEYS_PER_READ = 200;

export type Key = { readonly organizationId: OrganizationId; readonly id: string };

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
export const readByKey = async (
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
