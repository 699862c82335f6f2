/** Tokens, attributes, and the log of what was done to whom. */
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { firstOf, pageOf } from "./page.ts";
import { ATTRIBUTE_COLUMNS, attributeOf } from "./rows/attribute.ts";
import { auditOf, insertAuditLine } from "./rows/audit.ts";
import { numberOf, numberOrNull, textOf, textOrNull } from "./rows/column.ts";
import { permissionsOf, textOfPermissions } from "./rows/permissions.ts";
import type { IdentityStore, TokenKind, TokenRow } from "./store.ts";
import { createTenantStore } from "./tenants.ts";

/** A clock may lag behind the transaction that it stamped: what is younger than this is read twice. */
const LOOK_BACK_MS = 10_000;

const tokenOf = (row: DatabaseRow): TokenRow => {
  const permissions = textOrNull(row, "permissions");
  return {
    id: textOf(row, "id"),
    kind: textOf(row, "kind") as TokenKind,
    organizationId: textOf(row, "organization_id") as OrganizationId | "",
    userId: textOf(row, "user_id") as UserId | "",
    name: textOf(row, "name"),
    hash: textOf(row, "hash"),
    permissions: permissions === null ? null : permissionsOf(permissions),
    createdBy: textOf(row, "created_by") as UserId | "",
    createdAt: numberOf(row, "created_at"),
    expiresAt: numberOrNull(row, "expires_at"),
    revokedAt: numberOrNull(row, "revoked_at"),
    lastUsedAt: numberOrNull(row, "last_used_at"),
  };
};

export const createIdentityStore = (engine: Engine): IdentityStore => {
  const { knex, now, textOfBytes } = engine;
  const rightNow = knex.raw(now);
  const changed = async (
    table: string,
    columns: readonly string[],
    since: number,
  ): Promise<DatabaseRow[]> =>
    await knex(table)
      .where("changed_at", ">=", since)
      .select([...columns]);
  return {
    ...createTenantStore(engine),
    insertToken: async (token) => {
      await knex("tokens").insert({
        id: token.id,
        kind: token.kind,
        organization_id: token.organizationId,
        user_id: token.userId,
        name: token.name,
        hash: token.hash,
        permissions: token.permissions === null ? null : textOfPermissions(token.permissions),
        created_by: token.createdBy,
        created_at: token.createdAt,
        expires_at: token.expiresAt,
        revoked_at: token.revokedAt,
        last_used_at: token.lastUsedAt,
      });
    },
    findToken: async (id) => await firstOf(knex, "tokens", { id }, tokenOf),
    listTokens: async (organizationId, userId, page) =>
      await pageOf(
        knex,
        "tokens",
        { organization_id: organizationId, ...(userId === null ? {} : { user_id: userId }) },
        page,
        tokenOf,
      ),
    revokeToken: async (id, at) =>
      (await knex("tokens")
        .where({ id })
        .whereNull("revoked_at")
        .update({ revoked_at: at, changed_at: rightNow })) > 0,
    touchToken: async (id, at) => {
      await knex("tokens").where({ id }).update({ last_used_at: at });
    },
    changesSince: async (since) => {
      const row = (await knex.select(knex.raw(`${now} AS moment`)).first()) as DatabaseRow;
      const asOf = numberOf(row, "moment");
      if (since === null) return { revokedTokens: [], users: [], organizations: [], asOf };
      const from = since - LOOK_BACK_MS;
      const [revokedTokens, users, organizations] = await Promise.all([
        changed("tokens", ["id"], from),
        changed("users", ["organization_id", "id", "changed_at"], from),
        changed("organizations", ["id", "changed_at"], from),
      ]);
      return {
        revokedTokens: revokedTokens.map((row) => textOf(row, "id")),
        users: users.map((row) => ({
          organizationId: textOf(row, "organization_id") as OrganizationId,
          id: textOf(row, "id") as UserId,
          changedAt: numberOf(row, "changed_at"),
        })),
        organizations: organizations.map((row) => ({
          id: textOf(row, "id") as OrganizationId,
          changedAt: numberOf(row, "changed_at"),
        })),
        asOf,
      };
    },
    attributes: async ({ shardId, organizationId }, userId) => {
      const rows = (await knex("user_attributes")
        .where({ shard_id: shardId, organization_id: organizationId, user_id: userId })
        .select([...ATTRIBUTE_COLUMNS, textOfBytes("value")])
        // The column, not the text of the same name: by bytes, as the key has them.
        .orderBy(["name", "user_attributes.value"])) as DatabaseRow[];
      return rows.map(attributeOf);
    },
    hasAttribute: async ({ shardId, organizationId }, userId, { name, value }) => {
      const key = { shard_id: shardId, organization_id: organizationId, user_id: userId };
      const row: unknown = await knex("user_attributes")
        .where({ ...key, name, value })
        .first("kind");
      return row !== undefined;
    },
    insertAudit: async (shardId, row) => {
      await insertAuditLine(knex, { shardId, row });
    },
    listAudit: async ({ shardId, organizationId }, subject, { before, limit }) => {
      const query = knex("audit_log").where("organization_id", organizationId);
      // The plus keeps SQLite from the primary key, which would walk all of the organization's rows.
      if (subject === null) void query.where("shard_id", shardId);
      else void query.whereRaw("+shard_id = ?", [shardId]).where("subject", subject);
      if (before !== null) void query.where("id", "<", before);
      return ((await query.orderBy("id", "desc").limit(limit)) as DatabaseRow[]).map(auditOf);
    },
  };
};
