import { exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createKnownUsers } from "../../src/identity/known-users.ts";
import { createOutsideTokens, type OutsideTokens } from "../../src/identity/outside-tokens.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { openStore } from "../../src/store/open.ts";
import { STANDARD_LIMITS, type Store } from "../../src/store/store.ts";
import { createManualClock } from "../support/manual-clock.ts";
import {
  type OutsideIssuer,
  type SigningKey,
  startOutsideIssuer,
} from "../support/outside-issuer.ts";

const acme = systemRandom.uuid() as OrganizationId;
const globex = systemRandom.uuid() as OrganizationId;
const ada = systemRandom.uuid() as UserId;
const stranger = systemRandom.uuid() as UserId;

let store: Store;
let issuer: OutsideIssuer;
let key: SigningKey;
const clock = createManualClock(Date.now());

beforeAll(async () => {
  store = await openStore("sqlite::memory:");
  const { identity } = store;
  const createdAt = clock.now();
  const permissions = MEMBER_PERMISSIONS;
  const user = { permissions, disabledAt: null, createdAt };
  const add = async (id: OrganizationId, name: string) =>
    await identity.insertOrganization({ id, name, ...STANDARD_LIMITS, createdAt });
  await add(acme, "acme");
  await add(globex, "globex");
  await identity.insertUser({ ...user, id: ada, organizationId: acme, name: "ada" });
  await identity.insertUser({ ...user, id: stranger, organizationId: globex, name: "stranger" });
  const gone = { ...user, disabledAt: 1 };
  await identity.insertUser({ ...gone, id: "gone" as UserId, organizationId: acme, name: "gone" });
});
afterAll(async () => {
  await store.close();
});
beforeEach(async () => {
  issuer = await startOutsideIssuer();
  key = await issuer.rotate("first");
});
afterEach(async () => {
  await issuer.close();
});

const tokensOf = (
  facts: { readonly abilitiesClaim?: string; readonly cooldownMs?: number } = {},
): OutsideTokens =>
  createOutsideTokens({
    issuer: {
      issuer: issuer.issuer,
      jwksUrl: issuer.jwksUrl,
      audience: issuer.audience,
      organizationClaim: "organization",
      userClaim: "sub",
      abilitiesClaim: facts.abilitiesClaim ?? null,
    },
    identity: store.identity,
    users: createKnownUsers({ identity: store.identity, clock, shardOf: () => 0 }),
    clock,
    log: silentLog,
    ...(facts.cooldownMs === undefined ? {} : { cooldownMs: facts.cooldownMs }),
  });

const good = { organization: "acme", sub: "ada" };
const permissionsOf = async (tokens: OutsideTokens, claims: object) => {
  const presented = await tokens.inspect(await issuer.sign(key, { ...good, ...claims }));
  return presented?.caller.kind === "user" ? [...presented.caller.permissions] : null;
};

describe("a JWT of the outside issuer", () => {
  it("speaks for the user that it names, by ids or by names", async () => {
    for (const claims of [good, { organization: acme, sub: ada }]) {
      const exp = Math.floor(clock.now() / 1_000) + 60;
      const presented = await tokensOf().inspect(await issuer.sign(key, { ...claims, exp }));
      expect(presented).toEqual({
        caller: {
          kind: "user",
          organizationId: acme,
          userId: ada,
          permissions: new Set(MEMBER_PERMISSIONS),
          tokenId: "jwt",
          attempt: null,
        },
        expiresAt: (exp + 5) * 1_000,
        creatorId: "",
      });
    }
  });

  it("may no more than its user, and no more than it says where that is asked for", async () => {
    const tokens = tokensOf({ abilitiesClaim: "scope" });
    expect(await permissionsOf(tokens, { scope: "openid jobs:view jobs:run-as" })).toEqual([
      "jobs:view",
    ]);
    expect(await permissionsOf(tokens, { scope: ["jobs:create", 7, "jobs:run-as"] })).toEqual([
      "jobs:create",
    ]);
    expect(await permissionsOf(tokens, {})).toEqual([]);
    expect(await permissionsOf(tokensOf(), { scope: "jobs:view" })).toEqual([
      ...MEMBER_PERMISSIONS,
    ]);
  });

  it.each([
    ["for another audience", { aud: "another" }],
    ["of another issuer", { iss: "https://other.example" }],
    ["that has expired", { exp: Math.floor(Date.now() / 1_000) - 6 }],
    ["that never expires", { exp: undefined }],
    ["that does not hold yet", { nbf: Math.floor(Date.now() / 1_000) + 60 }],
    ["of an unknown organization", { organization: "initech" }],
    ["of an unknown user", { sub: "nobody" }],
    ["of a user of another organization", { sub: "stranger" }],
    ["of another organization's user by id", { sub: stranger }],
    ["of a user who is disabled", { sub: "gone" }],
    ["of a name that only looks alike", { sub: "ada " }],
    ["without an organization", { organization: undefined }],
    ["with a claim that is no text", { organization: ["acme"] }],
  ])("%s speaks for nobody", async (_what, claims) => {
    expect(await tokensOf().inspect(await issuer.sign(key, { ...good, ...claims }))).toBeNull();
  });

  it("without a signature, signed with the public key, or by somebody else speaks for nobody", async () => {
    const tokens = tokensOf();
    const now = Math.floor(Date.now() / 1_000);
    const claims = { ...good, iss: issuer.issuer, aud: issuer.audience, exp: now + 60 };
    const none = new UnsecuredJWT(claims).encode();
    const secret = new TextEncoder().encode(await exportSPKI(key.publicKey));
    const shared = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: key.kid })
      .sign(secret);
    const thief = await startOutsideIssuer();
    const forged = await thief.sign(await thief.rotate(key.kid), good);
    await thief.close();
    for (const text of [none, shared, forged]) expect(await tokens.inspect(text)).toBeNull();
  });
});

describe("the keys of the issuer", () => {
  it("are fetched with the first JWT, and then kept", async () => {
    const tokens = tokensOf();
    expect(issuer.fetches()).toBe(0);
    for (let count = 0; count < 3; count += 1)
      expect(await permissionsOf(tokens, {})).not.toBeNull();
    expect(issuer.fetches()).toBe(1);
  });

  it("are fetched anew for a key that is not known yet; one that was taken back is worth nothing", async () => {
    const tokens = tokensOf({ cooldownMs: 0 });
    const old = await issuer.sign(key, good);
    expect(await tokens.inspect(old)).not.toBeNull();
    key = await issuer.rotate("second");
    expect(await permissionsOf(tokens, {})).not.toBeNull();
    expect(await tokens.inspect(old)).toBeNull();
  });

  it("are not fetched for each unknown key: strangers cannot make us ask again and again", async () => {
    const tokens = tokensOf();
    await permissionsOf(tokens, {});
    const unknown = await issuer.sign({ ...key, kid: "unknown" }, good);
    for (let count = 0; count < 5; count += 1) expect(await tokens.inspect(unknown)).toBeNull();
    expect(issuer.fetches()).toBe(1);
  });

  it("that cannot be had make no token wrong, and are asked for again after a pause", async () => {
    const tokens = tokensOf();
    issuer.answer(503);
    for (let count = 0; count < 3; count += 1) {
      await expect(permissionsOf(tokens, {})).rejects.toMatchObject({
        reason: "SHARD_UNAVAILABLE",
      });
    }
    expect(issuer.fetches()).toBe(1);
    issuer.answer(200);
    clock.advance(2_000);
    expect(await permissionsOf(tokens, {})).not.toBeNull();
  });
});
