import { describe, expect, test } from "vitest";

import type { UserId } from "../../src/jobs/ids.ts";
import {
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
    await expect(identity.insertOrganization({ ...globex, name: acme.name })).rejects.toThrow(/./);
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
    await expect(identity.insertUser({ ...ann, id: "twin" as UserId })).rejects.toThrow(/./);
  });

  test("tokens are found by their public part, and listed by age", async () => {
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
    expect(await identity.listTokens()).toEqual([runner, token]);
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
