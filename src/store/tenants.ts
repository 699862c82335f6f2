/** Organizations and users. A change and its line of the audit log are one transaction. */
import type { Knex } from "knex";

import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { unlessTaken } from "./name-taken.ts";
import { firstOf, pageOf } from "./page.ts";
import { insertAuditLine } from "./rows/audit.ts";
import { numberOf, numberOrNull, textOf } from "./rows/column.ts";
import { permissionsOf, textOfPermissions } from "./rows/permissions.ts";
import type { AuditLine, OrganizationRow, TenantStore, UserRow } from "./store.ts";

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

/** `work`, which tells whether it changed something, and the line of that change: both or neither. */
const noted = async (
  knex: Knex,
  line: AuditLine | undefined,
  work: (knex: Knex) => Promise<boolean>,
): Promise<boolean> => {
  if (line === undefined) return await work(knex);
  return await knex.transaction(async (transaction) => {
    const changed = await work(transaction);
    if (changed) await insertAuditLine(transaction, line);
    return changed;
  });
};

const organizationColumns = (row: Partial<OrganizationRow>): Record<string, unknown> => ({
  name: row.name,
  max_running: row.maxRunning,
  max_queued: row.maxQueued,
  weight: row.weight,
  retention_ms: row.retentionMs,
});

const userColumns = ({ name, permissions, disabledAt }: UserRow) => ({
  name,
  permissions: textOfPermissions(permissions),
  disabled_at: disabledAt,
});

/** The user as he is, and whether somebody else can act as an admin; null if there is none. */
const readUser = async (
  knex: Knex,
  organizationId: OrganizationId,
  id: UserId,
): Promise<{ readonly user: UserRow; readonly others: { readonly haveAdmin: boolean } } | null> => {
  const user = await firstOf(knex, "users", { organization_id: organizationId, id }, userOf);
  if (user === null) return null;
  // No other permission holds this word.
  const admin = (await knex("users")
    .where({ organization_id: organizationId, disabled_at: null })
    .whereNot({ id })
    .where("permissions", "like", "%admin%")
    .first("id")) as DatabaseRow | undefined;
  return { user, others: { haveAdmin: admin !== undefined } };
};

export const createTenantStore = ({ knex, now }: Engine): TenantStore => {
  const rightNow = knex.raw(now);
  return {
    insertOrganization: async (row, line) => {
      const columns = { id: row.id, ...organizationColumns(row), created_at: row.createdAt };
      await unlessTaken(
        row.name,
        async () =>
          await noted(knex, line, async (on) => {
            await on("organizations").insert(columns);
            return true;
          }),
      );
    },
    updateOrganization: async ({ id, ...change }, line) => {
      // knex leaves out what is undefined.
      const columns = { ...organizationColumns(change), changed_at: rightNow };
      return await unlessTaken(
        change.name ?? "",
        async () =>
          await noted(
            knex,
            line,
            async (on) => (await on("organizations").where({ id }).update(columns)) > 0,
          ),
      );
    },
    listOrganizations: async (page) =>
      await pageOf(knex, "organizations", {}, page, organizationOf),
    findOrganization: async (id) => await firstOf(knex, "organizations", { id }, organizationOf),
    findOrganizationByName: async (name) =>
      await firstOf(knex, "organizations", { name }, organizationOf),
    insertUser: async (row, line) => {
      const { id, organizationId, createdAt } = row;
      const key = { id, organization_id: organizationId };
      await unlessTaken(
        row.name,
        async () =>
          await noted(knex, line, async (on) => {
            await on("users").insert({ ...key, ...userColumns(row), created_at: createdAt });
            return true;
          }),
      );
    },
    updateUser: async (organizationId, id, change, lineOf) =>
      await knex.transaction(async (transaction) => {
        // Written, not only locked: on a cluster of writers a lock alone is no conflict.
        await transaction("organizations")
          .where({ id: organizationId })
          .update({ changed_at: rightNow });
        const found = await readUser(transaction, organizationId, id);
        if (found === null) return null;
        const after = change(found.user, found.others);
        await unlessTaken(
          after.name,
          async () =>
            await transaction("users")
              .where({ organization_id: organizationId, id })
              .update({ ...userColumns(after), changed_at: rightNow }),
        );
        if (lineOf !== undefined) await insertAuditLine(transaction, lineOf(after));
        return after;
      }),
    touchUser: async (organizationId, id) => {
      await knex("users")
        .where({ organization_id: organizationId, id })
        .update({ changed_at: rightNow });
    },
    listUsers: async (organizationId, page) =>
      await pageOf(knex, "users", { organization_id: organizationId }, page, userOf),
    findUser: async (organizationId, id) =>
      await firstOf(knex, "users", { organization_id: organizationId, id }, userOf),
    findUserByName: async (organizationId, name) =>
      await firstOf(knex, "users", { organization_id: organizationId, name }, userOf),
  };
};
