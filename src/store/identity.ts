/** Organizations, users, tokens. */
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { numberOf, numberOrNull, textOf } from "./rows/column.ts";
import type { IdentityStore, OrganizationRow, TokenKind, TokenRow, UserRow } from "./store.ts";

const organizationOf = (row: DatabaseRow): OrganizationRow => ({
  id: textOf(row, "id") as OrganizationId,
  name: textOf(row, "name"),
  maxRunning: numberOrNull(row, "max_running"),
  maxQueued: numberOrNull(row, "max_queued"),
  createdAt: numberOf(row, "created_at"),
});

const userOf = (row: DatabaseRow): UserRow => ({
  id: textOf(row, "id") as UserId,
  organizationId: textOf(row, "organization_id") as OrganizationId,
  name: textOf(row, "name"),
  role: textOf(row, "role") as UserRow["role"],
  createdAt: numberOf(row, "created_at"),
});

const tokenOf = (row: DatabaseRow): TokenRow => ({
  id: textOf(row, "id"),
  kind: textOf(row, "kind") as TokenKind,
  organizationId: textOf(row, "organization_id") as OrganizationId | "",
  userId: textOf(row, "user_id") as UserId | "",
  name: textOf(row, "name"),
  hash: textOf(row, "hash"),
  createdAt: numberOf(row, "created_at"),
  expiresAt: numberOrNull(row, "expires_at"),
  revokedAt: numberOrNull(row, "revoked_at"),
  lastUsedAt: numberOrNull(row, "last_used_at"),
});

export const createIdentityStore = ({ knex }: Engine): IdentityStore => {
  const first = async <Row>(
    table: string,
    key: Readonly<Record<string, string>>,
    rowOf: (row: DatabaseRow) => Row,
  ): Promise<Row | null> => {
    const row = (await knex(table).where(key).first()) as DatabaseRow | undefined;
    return row === undefined ? null : rowOf(row);
  };
  return {
    insertOrganization: async ({ id, name, maxRunning, maxQueued, createdAt }) => {
      await knex("organizations").insert({
        id,
        name,
        max_running: maxRunning,
        max_queued: maxQueued,
        created_at: createdAt,
      });
    },
    insertUser: async ({ id, organizationId, name, role, createdAt }) => {
      await knex("users").insert({
        id,
        organization_id: organizationId,
        name,
        role,
        created_at: createdAt,
      });
    },
    insertToken: async (token) => {
      await knex("tokens").insert({
        id: token.id,
        kind: token.kind,
        organization_id: token.organizationId,
        user_id: token.userId,
        name: token.name,
        hash: token.hash,
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
    revokeToken: async (id, at) =>
      (await knex("tokens").where({ id }).whereNull("revoked_at").update({ revoked_at: at })) > 0,
    touchToken: async (id, at) => {
      await knex("tokens").where({ id }).update({ last_used_at: at });
    },
  };
};
