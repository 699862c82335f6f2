import { describe, expect, test } from "vitest";

import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import {
  type AuditLine,
  NameTaken,
  type OrganizationRow,
  STANDARD_LIMITS,
  type TokenRow,
  type UserRow,
} from "../../src/store/store.ts";
import { ENGINES } from "../support/databases.ts";
import { ACME, GLOBEX } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const acme: OrganizationRow = {
  id: ACME,
  name: "Acme 🚀",
  ...STANDARD_LIMITS,
  maxRunning: 3,
  createdAt: 1_800_000_000_000,
};
const globex: OrganizationRow = {
  ...acme,
  id: GLOBEX,
  name: "Globex",
  maxRunning: null,
  maxQueued: 9,
};
const ann: UserRow = {
  id: "ann" as UserId,
  organizationId: ACME,
  name: "Ann",
  permissions: ["admin"],
  disabledAt: null,
  createdAt: 2,
};
const token: TokenRow = {
  id: "public",
  kind: "user",
  organizationId: ACME,
  userId: ann.id,
  name: "laptop",
  hash: "a".repeat(64),
  permissions: ["jobs:create"],
  createdBy: ann.id,
  createdAt: 3,
  expiresAt: 1_900_000_000_000,
  revokedAt: null,
  lastUsedAt: null,
};

describe.each(ENGINES)("identity on %s", (engine) => {
  const given = withStore(engine);

  test("organizations are found by id and by name", async () => {
    const { identity } = given.store;
    await identity.insertOrganization(acme);
    await identity.insertOrganization(globex);
    expect(await identity.findOrganization(GLOBEX)).toEqual(globex);
    expect(await identity.findOrganizationByName(acme.name)).toEqual(acme);
    expect(await identity.findOrganizationByName("acme 🚀")).toBeNull();
  });

  test("two organizations cannot have the same name", async () => {
    const { identity } = given.store;
    await identity.insertOrganization(acme);
    await expect(identity.insertOrganization({ ...globex, name: acme.name })).rejects.toThrow(
      NameTaken,
    );
    expect(await identity.findOrganization(GLOBEX)).toBeNull();
  });

  test("users belong to one organization, and their names to it", async () => {
    const { identity } = given.store;
    const other: UserRow = {
      ...ann,
      organizationId: GLOBEX,
      permissions: ["jobs:view", "job-read"],
    };
    await identity.insertUser(ann);
    await identity.insertUser(other);
    expect(await identity.findUser(ACME, ann.id)).toEqual(ann);
    expect(await identity.findUserByName(GLOBEX, "Ann")).toEqual(other);
    expect(await identity.findUserByName(ACME, "Bob")).toBeNull();
    await expect(identity.insertUser({ ...ann, id: "twin" as UserId })).rejects.toThrow(NameTaken);
  });

  test("an organization changes only in what is said, and not to a name that is taken", async () => {
    const { identity } = given.store;
    await identity.insertOrganization(acme);
    await identity.insertOrganization(globex);
    expect(await identity.updateOrganization({ id: ACME, maxRunning: null, weight: 7 })).toBe(true);
    expect(await identity.findOrganization(ACME)).toEqual({ ...acme, maxRunning: null, weight: 7 });
    const taken = identity.updateOrganization({ id: ACME, name: globex.name });
    await expect(taken).rejects.toThrow(NameTaken);
    expect(await identity.updateOrganization({ id: "none" as OrganizationId })).toBe(false);
  });

  test("a user's change sees the row and whether another admin can act; what it throws undoes it", async () => {
    const { identity } = given.store;
    await identity.insertOrganization(acme);
    await identity.insertUser(ann);
    const bob: UserRow = { ...ann, id: "bob" as UserId, name: "Bob", permissions: ["jobs:view"] };
    await identity.insertUser(bob);
    const seen: unknown[] = [];
    const name = (text: string) => (user: UserRow, others: object) => {
      seen.push([user.name, others]);
      return { ...user, name: text };
    };
    expect(await identity.updateUser(ACME, ann.id, name("Anna"))).toEqual({ ...ann, name: "Anna" });
    expect(await identity.updateUser(ACME, bob.id, name("Bobby"))).toMatchObject({ name: "Bobby" });
    expect(seen).toEqual([
      ["Ann", { haveAdmin: false }],
      ["Bob", { haveAdmin: true }],
    ]);
    await expect(identity.updateUser(ACME, bob.id, name("Anna"))).rejects.toThrow(NameTaken);
    const refused = identity.updateUser(ACME, bob.id, () => {
      throw new RangeError("no");
    });
    await expect(refused).rejects.toThrow(RangeError);
    expect(await identity.findUser(ACME, bob.id)).toEqual({ ...bob, name: "Bobby" });
    expect(await identity.updateUser(GLOBEX, bob.id, name("x"))).toBeNull();
  });

  test("a change and its line of the audit log are there together, or neither is", async () => {
    const { identity } = given.store;
    const place = { shardId: 0, organizationId: ACME };
    let count = 0;
    const line = (id = `line-${(count += 1)}`): AuditLine => ({
      shardId: 0,
      row: {
        organizationId: ACME,
        id,
        at: 1,
        actor: SERVER,
        action: "user.update",
        subject: "ann",
        details: null,
      },
    });
    await identity.insertOrganization(acme, line());
    await identity.insertUser(ann, line());
    await identity.updateOrganization({ id: ACME, weight: 2 }, line());
    const rename = (user: UserRow): UserRow => ({ ...user, name: "Anna" });
    await identity.updateUser(ACME, ann.id, rename, () => line());
    const all = { before: null, limit: 10 };
    expect(await identity.listAudit(place, "ann", all)).toHaveLength(4);

    const twin = identity.insertUser({ ...ann, id: "twin" as UserId, name: "Anna" }, line());
    await expect(twin).rejects.toThrow(NameTaken);
    expect(await identity.updateOrganization({ id: GLOBEX, weight: 3 }, line())).toBe(false);
    expect(await identity.updateUser(GLOBEX, ann.id, rename, () => line())).toBeNull();
    expect(await identity.listAudit(place, "ann", all)).toHaveLength(4);
    // A line that cannot be written undoes its change.
    const undone = identity.updateUser(
      ACME,
      ann.id,
      () => ann,
      () => line("line-1"),
    );
    await expect(undone).rejects.toThrow(/./);
    expect(await identity.findUser(ACME, ann.id)).toMatchObject({ name: "Anna" });
  });

  test("of two admins who both stop being one at the same time, the second sees that he is the last", async () => {
    const { identity } = given.store;
    const other = await given.another();
    await identity.insertOrganization(acme);
    await identity.insertUser(ann);
    const bob: UserRow = { ...ann, id: "bob" as UserId, name: "Bob" };
    await identity.insertUser(bob);
    const resign = (user: UserRow, others: { readonly haveAdmin: boolean }): UserRow =>
      others.haveAdmin ? { ...user, permissions: [] } : user;
    await Promise.all([
      identity.updateUser(ACME, ann.id, resign),
      other.identity.updateUser(ACME, bob.id, resign),
    ]);
    const left = await identity.listUsers(ACME, { after: null, limit: 10 });
    expect(left.map(({ permissions }) => permissions.length).toSorted()).toEqual([0, 1]);
  });

  test("whoever asks what changed hears of a user that was touched", async () => {
    const { identity } = given.store;
    await identity.insertUser(ann);
    const { asOf } = await identity.changesSince(null);
    expect((await identity.changesSince(asOf)).users).toEqual([]);
    await identity.touchUser(ACME, ann.id);
    expect((await identity.changesSince(asOf)).users).toMatchObject([{ id: ann.id }]);
  });

  test("tokens are found by their public part, and listed by the organization that they are of", async () => {
    const { identity } = given.store;
    const runner: TokenRow = {
      ...token,
      id: "runner",
      kind: "runner",
      organizationId: "",
      userId: "",
      createdAt: 1,
      expiresAt: null,
    };
    await identity.insertToken(token);
    await identity.insertToken(runner);
    expect(await identity.findToken("public")).toEqual(token);
    expect(await identity.findToken("Public")).toBeNull();
    const page = { after: null, limit: 10 };
    expect(await identity.listTokens(ACME, null, page)).toEqual([token]);
    expect(await identity.listTokens("", null, page)).toEqual([runner]);
  });

  test("a token is revoked once, and remembers when", async () => {
    const { identity } = given.store;
    await identity.insertToken(token);
    expect(await identity.revokeToken("public", 50)).toBe(true);
    expect(await identity.revokeToken("public", 60)).toBe(false);
    expect(await identity.revokeToken("nobody's", 60)).toBe(false);
    expect(await identity.findToken("public")).toEqual({ ...token, revokedAt: 50 });
  });

  test("a token remembers when it was last used", async () => {
    const { identity } = given.store;
    await identity.insertToken(token);
    await identity.touchToken("public", 70);
    expect(await identity.findToken("public")).toEqual({ ...token, lastUsedAt: 70 });
  });
});
