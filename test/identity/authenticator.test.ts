import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createToken } from "../../src/identity/create-token.ts";
import { createIdentity } from "../../src/identity/identity.ts";
import { parseToken } from "../../src/identity/token.ts";
import { MEMBER_PERMISSIONS, type Permission, PERMISSIONS } from "../../src/jobs/abilities.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { openStore } from "../../src/store/open.ts";
import {
  type IdentityStore,
  STANDARD_LIMITS,
  type Store,
  type UserRow,
} from "../../src/store/store.ts";
import { createManualClock } from "../support/manual-clock.ts";

const organizationId = "acme" as OrganizationId;
const userId = "ada" as UserId;

let store: Store;
let reads: number;
let touches: number;
let down: boolean;
/** The real one, which counts, and fails when the test says so. */
let counted: Store;
let ada: UserRow;
const clock = createManualClock();

beforeEach(async () => {
  store = await openStore("sqlite::memory:");
  const createdAt = clock.now();
  const name = "acme";
  await store.identity.insertOrganization({
    id: organizationId,
    name,
    ...STANDARD_LIMITS,
    createdAt,
  });
  const permissions = MEMBER_PERMISSIONS;
  ada = { id: userId, organizationId, name: "ada", permissions, disabledAt: null, createdAt };
  await store.identity.insertUser(ada);
  [reads, touches, down] = [0, 0, false];
  const identity: IdentityStore = {
    ...store.identity,
    findToken: async (id) => {
      reads += 1;
      if (down) throw new Error("the database is away");
      return await store.identity.findToken(id);
    },
    touchToken: async (id, at) => {
      touches += 1;
      await store.identity.touchToken(id, at);
    },
  };
  counted = { ...store, identity };
});
afterEach(async () => {
  await store.close();
});

const anIdentity = () =>
  createIdentity({
    store: counted,
    clock,
    random: systemRandom,
    log: silentLog,
    shardOf: () => 0,
    outsideIssuer: null,
    onOrganizations: () => {},
  });
const anAuthenticator = () => anIdentity().authenticator;

const change = async (facts: Partial<typeof ada>) =>
  await store.identity.updateUser(organizationId, userId, () => ({ ...ada, ...facts }));

const aToken = async (
  facts: {
    readonly expiresAt?: number;
    readonly permissions?: readonly Permission[];
    readonly userId?: "";
  } = {},
) =>
  await createToken(
    { identity: store.identity, clock, random: systemRandom },
    { kind: "user", organizationId, userId, name: "t", expiresAt: null, ...facts },
  );

describe("the authenticator", () => {
  it("tells whom a token speaks for", async () => {
    const { text, row } = await aToken();
    expect(await anAuthenticator().authenticate(`Bearer ${text}`)).toEqual({
      kind: "user",
      organizationId,
      userId,
      permissions: new Set(MEMBER_PERMISSIONS),
      tokenId: row.id,
      attempt: null,
    });
  });

  it("gives a limited token its part of what the user may, also when the user may less later", async () => {
    const identity = anIdentity();
    const { text } = await aToken({ permissions: ["jobs:view", "jobs:run-as"] });
    const permissionsNow = async () => {
      const caller = await identity.authenticator.authenticate(`Bearer ${text}`);
      return caller.kind === "user" ? [...caller.permissions] : null;
    };
    expect(await permissionsNow()).toEqual(["jobs:view"]);
    await change({ permissions: ["admin"] });
    identity.userChanged(organizationId, userId);
    expect(await permissionsNow()).toEqual(["jobs:view", "jobs:run-as"]);
    await change({ permissions: ["jobs:create"] });
    identity.userChanged(organizationId, userId);
    expect(await permissionsNow()).toEqual([]);
  });

  it("lets a token of the organization itself do what it was given, for nobody", async () => {
    const given = await aToken({ userId: "", permissions: ["admin"] });
    const caller = await anAuthenticator().authenticate(`Bearer ${given.text}`);
    expect(caller).toMatchObject({ userId: "", permissions: new Set(PERMISSIONS) });
    const none = await aToken({ userId: "" });
    const other = await anAuthenticator().authenticate(`Bearer ${none.text}`);
    expect(other).toMatchObject({ userId: "", permissions: new Set() });
  });

  it("refuses every token of a user who is disabled, and takes them again when he is not", async () => {
    const identity = anIdentity();
    const { text } = await aToken();
    const authenticate = async () => await identity.authenticator.authenticate(`Bearer ${text}`);
    await authenticate();
    await change({ disabledAt: 1 });
    identity.userChanged(organizationId, userId);
    await expect(authenticate()).rejects.toMatchObject({ reason: "UNAUTHENTICATED" });
    await change({});
    identity.userChanged(organizationId, userId);
    expect(await authenticate()).toMatchObject({ userId });
  });

  it("reads a token once in 3 s, also when many calls come at once", async () => {
    const authenticator = anAuthenticator();
    const { text } = await aToken();
    await Promise.all(
      Array.from({ length: 20 }, async () => await authenticator.authenticate(`Bearer ${text}`)),
    );
    expect(reads).toBe(1);
    clock.advance(2_999);
    await authenticator.authenticate(`Bearer ${text}`);
    expect(reads).toBe(1);
    clock.advance(1);
    await authenticator.authenticate(`Bearer ${text}`);
    expect(reads).toBe(2);
  });

  it("knows a revocation as soon as it is told of it, also one that overtakes a read", async () => {
    const identity = anIdentity();
    const { text, row } = await aToken();
    const overtaken = identity.authenticator.authenticate(`Bearer ${text}`);
    await store.identity.revokeToken(row.id, clock.now());
    identity.tokenRevoked(row.id);
    await Promise.allSettled([overtaken]);
    await expect(identity.authenticator.authenticate(`Bearer ${text}`)).rejects.toMatchObject({
      reason: "UNAUTHENTICATED",
    });
  });

  it("refuses an expired token although it remembers a good one", async () => {
    const authenticator = anAuthenticator();
    const { text } = await aToken({ expiresAt: clock.now() + 1_000 });
    await authenticator.authenticate(`Bearer ${text}`);
    clock.advance(1_000);
    await expect(authenticator.authenticate(`Bearer ${text}`)).rejects.toThrow(/bearer token/);
  });

  it("does not take a database that is away for a wrong token, nor remember it", async () => {
    const authenticator = anAuthenticator();
    const { text } = await aToken();
    down = true;
    await expect(authenticator.authenticate(`Bearer ${text}`)).rejects.toThrow(/database is away/);
    down = false;
    expect(await authenticator.authenticate(`Bearer ${text}`)).toMatchObject({ userId });
  });

  it("refuses the right id with another's secret", async () => {
    const [mine, other] = [await aToken(), await aToken()];
    const [a, b] = [parseToken(mine.text), parseToken(other.text)];
    const forged = mine.text.replace(a?.secret ?? "", b?.secret ?? "");
    await expect(anAuthenticator().authenticate(`Bearer ${forged}`)).rejects.toThrow(
      /bearer token/,
    );
  });

  it("notes the last use once a minute at most", async () => {
    const authenticator = anAuthenticator();
    const { text } = await aToken();
    await authenticator.authenticate(`Bearer ${text}`);
    clock.advance(59_000);
    await authenticator.authenticate(`Bearer ${text}`);
    expect(touches).toBe(1);
    clock.advance(1_000);
    await authenticator.authenticate(`Bearer ${text}`);
    expect(touches).toBe(2);
  });
});
