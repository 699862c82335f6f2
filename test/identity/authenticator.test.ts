import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { STANDARD_LIMITS } from "../../src/store/store.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createAuthenticator } from "../../src/identity/authenticator.ts";
import { createToken } from "../../src/identity/create-token.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { openStore } from "../../src/store/open.ts";
import type { IdentityStore, Store } from "../../src/store/store.ts";
import { createManualClock } from "../support/manual-clock.ts";

const organizationId = "acme" as OrganizationId;
const userId = "ada" as UserId;

let store: Store;
let reads: number;
let touches: number;
let down: boolean;
/** The real one, which counts, and fails when the test says so. */
let identity: IdentityStore;
const clock = createManualClock();

beforeEach(async () => {
  store = await openStore("sqlite::memory:");
  const createdAt = clock.now();
  await store.identity.insertOrganization({
    id: organizationId,
    name: "acme",
    ...STANDARD_LIMITS,
    createdAt,
  });
  await store.identity.insertUser({
    id: userId,
    organizationId,
    name: "ada",
    permissions: MEMBER_PERMISSIONS,
    disabledAt: null,
    createdAt,
  });
  [reads, touches, down] = [0, 0, false];
  identity = {
    ...store.identity,
    insertToken: async (row) => await store.identity.insertToken(row),
    findUser: async (organization, id) => await store.identity.findUser(organization, id),
    revokeToken: async (id, at) => await store.identity.revokeToken(id, at),
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
});
afterEach(async () => {
  await store.close();
});

const anAuthenticator = () => createAuthenticator({ identity, clock, log: silentLog });
const aToken = async (expiresAt: number | null = null) => {
  const subject = { kind: "user" as const, organizationId, userId };
  return await createToken(
    { identity, clock, random: systemRandom },
    { ...subject, name: "t", expiresAt },
  );
};

describe("the authenticator", () => {
  it("tells whom a token speaks for", async () => {
    const { text } = await aToken();
    expect(await anAuthenticator().authenticate(`Bearer ${text}`)).toEqual({
      kind: "user",
      organizationId,
      userId,
      permissions: new Set(MEMBER_PERMISSIONS),
      tokenId: expect.any(String),
      attempt: null,
      deferred: false,
    });
  });

  it("reads a token once in 5 s, also when many calls come at once", async () => {
    const authenticator = anAuthenticator();
    const { text } = await aToken();
    await Promise.all(
      Array.from({ length: 20 }, async () => await authenticator.authenticate(`Bearer ${text}`)),
    );
    expect(reads).toBe(1);
    clock.advance(4_999);
    await authenticator.authenticate(`Bearer ${text}`);
    expect(reads).toBe(1);
    clock.advance(1);
    await authenticator.authenticate(`Bearer ${text}`);
    expect(reads).toBe(2);
  });

  it("knows a revocation at once where it was made, and within 5 s elsewhere", async () => {
    const [here, there] = [anAuthenticator(), anAuthenticator()];
    const { text, row } = await aToken();
    await Promise.all([here.authenticate(`Bearer ${text}`), there.authenticate(`Bearer ${text}`)]);
    expect(await here.revoke(row.id)).toBe(true);
    await expect(here.authenticate(`Bearer ${text}`)).rejects.toThrow(/bearer token/);
    clock.advance(5_000);
    await expect(there.authenticate(`Bearer ${text}`)).rejects.toThrow(/bearer token/);
    expect(await here.revoke(row.id)).toBe(false);
  });

  it("refuses an expired token although it remembers a good one", async () => {
    const authenticator = anAuthenticator();
    const { text } = await aToken(clock.now() + 1_000);
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
    const { parseToken } = await import("../../src/identity/token.ts");
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
