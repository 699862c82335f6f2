/** Organizations, users, tokens, and the log of what was done to them. */
import { isPermission, type Permission } from "../jobs/abilities.ts";
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { ATTRIBUTE_COLUMNS, attributeOf } from "./rows/attribute.ts";
import { auditOf, INSERT_AUDIT } from "./rows/audit.ts";
import { unlessTaken } from "./name-taken.ts";
import { numberOf, numberOrNull, textOf, textOrNull } from "./rows/column.ts";
import type {
  IdentityStore,
  OrganizationRow,
  PageOf,
  TokenKind,
  TokenRow,
  UserRow,
} from "./store.ts";

/** A clock may lag behind the transaction that it stamped: what is younger than this is read twice. */
const LOOK_BACK_MS = 10_000;

const permissionsOf = (text: string): Permission[] => text.split(" ").filter(isPermission);

const textOfPermissions = (permissions: readonly Permission[]): string => permissions.join(" ");

const organizationOf = (row: DatabaseRow): OrganizationRow => ({
  id: textOf(row, "id") as OrganizationId,
  name: textOf(row, "name"),
  maxRunning: numberOrNull(row, "max_running"),
  maxQueued: numberOrNull(row, "max_queued"),
  weight: numberOrNull(row, "weight"),
  retentionMs: numberOrNull(row, "retention_ms"),
  createdAt: numberOf(row, "created_at"),
});

const userOf = (row: DatabaseRow): UserRow => ({
  id: textOf(row, "id") as UserId,
  organizationId: textOf(row, "organization_id") as OrganizationId,
  name: textOf(row, "name"),
  permissions: permissionsOf(textOf(row, "permissions")),
  disabledAt: numberOrNull(row, "disabled_at"),
  createdAt: numberOf(row, "created_at"),
});

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
  const first = async <Row>(
    table: string,
    key: Readonly<Record<string, string>>,
    rowOf: (row: DatabaseRow) => Row,
  ): Promise<Row | null> => {
    const row = (await knex(table).where(key).first()) as DatabaseRow | undefined;
    return row === undefined ? null : rowOf(row);
  };
  const pageOf = async <Row>(
    table: string,
    key: Readonly<Record<string, string>>,
    { after, limit }: PageOf<string>,
    rowOf: (row: DatabaseRow) => Row,
  ): Promise<Row[]> => {
    const query = knex(table).where(key).orderBy("id").limit(limit);
    if (after !== null) void query.where("id", ">", after);
    return ((await query) as DatabaseRow[]).map(rowOf);
  };
  const changed = async (
    table: string,
    columns: readonly string[],
    since: number,
  ): Promise<DatabaseRow[]> =>
    await knex(table)
      .where("changed_at", ">=", since)
      .select([...columns]);
  return {
    insertOrganization: async ({
      id,
      name,
      maxRunning,
      maxQueued,
      weight,
      retentionMs,
      createdAt,
    }) => {
      await unlessTaken(
        name,
        async () =>
          await knex("organizations").insert({
            id,
            name,
            max_running: maxRunning,
            max_queued: maxQueued,
            weight,
            retention_ms: retentionMs,
            created_at: createdAt,
          }),
      );
    },
    updateOrganization: async ({ id, name = "", ...change }) => {
      const { maxRunning, maxQueued, weight, retentionMs } = change;
      // knex leaves out what is undefined.
      const columns = {
        name: name === "" ? undefined : name,
        max_running: maxRunning,
        max_queued: maxQueued,
        weight,
        retention_ms: retentionMs,
        changed_at: rightNow,
      };
      const write = async () => await knex("organizations").where({ id }).update(columns);
      return (await unlessTaken(name, write)) > 0;
    },
    listOrganizations: async (page) => await pageOf("organizations", {}, page, organizationOf),
    insertUser: async ({ id, organizationId, name, permissions, disabledAt, createdAt }) => {
      await unlessTaken(
        name,
        async () =>
          await knex("users").insert({
            id,
            organization_id: organizationId,
            name,
            permissions: textOfPermissions(permissions),
            disabled_at: disabledAt,
            created_at: createdAt,
          }),
      );
    },
    updateUser: async (organizationId, id, change) =>
      await knex.transaction(async (transaction) => {
        const key = { organization_id: organizationId, id };
        // Written, not only locked: on a cluster of writers a lock alone is no conflict.
        await transaction("organizations")
          .where({ id: organizationId })
          .update({ changed_at: rightNow });
        const rows = (await transaction("users").where(key)) as DatabaseRow[];
        const [before] = rows.map(userOf);
        if (before === undefined) return null;
        // No other permission holds this word.
        const admin = (await transaction("users")
          .where({ organization_id: organizationId, disabled_at: null })
          .whereNot({ id })
          .where("permissions", "like", "%admin%")
          .first("id")) as DatabaseRow | undefined;
        const after = change(before, { haveAdmin: admin !== undefined });
        await unlessTaken(
          after.name,
          async () =>
            await transaction("users")
              .where(key)
              .update({
                name: after.name,
                permissions: textOfPermissions(after.permissions),
                disabled_at: after.disabledAt,
                changed_at: rightNow,
              }),
        );
        return after;
      }),
    touchUser: async (organizationId, id) => {
      await knex("users")
        .where({ organization_id: organizationId, id })
        .update({ changed_at: rightNow });
    },
    listUsers: async (organizationId, page) =>
      await pageOf("users", { organization_id: organizationId }, page, userOf),
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
    findOrganization: async (id) => await first("organizations", { id }, organizationOf),
    findOrganizationByName: async (name) => await first("organizations", { name }, organizationOf),
    findUser: async (organizationId, id) =>
      await first("users", { organization_id: organizationId, id }, userOf),
    findUserByName: async (organizationId, name) =>
      await first("users", { organization_id: organizationId, name }, userOf),
    findToken: async (id) => await first("tokens", { id }, tokenOf),
    listTokens: async () => {
      const rows = (await knex("tokens").orderBy(["created_at", "id"])) as DatabaseRow[];
      return rows.map(tokenOf);
    },
    listTokensOf: async (organizationId, userId, page) =>
      await pageOf(
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
      await engine.transaction(async (transaction) => {
        await transaction.write(INSERT_AUDIT.write, [INSERT_AUDIT.values(shardId, row)]);
      });
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
