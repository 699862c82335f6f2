import { beforeEach, describe, expect, it } from "vitest";

import { createChangeWatch } from "../../src/identity/change-watch.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { createToken } from "../../src/identity/create-token.ts";
import { STANDARD_LIMITS } from "../../src/store/store.ts";
import { ENGINES } from "../support/databases.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { withStore } from "../support/stores.ts";

const organizationId = "acme" as OrganizationId;
const userId = "ada" as UserId;
const LOOK_MS = 2_000;

describe.each(ENGINES)("what other servers change, on %s", (engine) => {
  const given = withStore(engine);

  beforeEach(async () => {
    const { identity } = given.store;
    const common = { createdAt: 0, name: "a" };
    await identity.insertOrganization({ ...common, id: organizationId, ...STANDARD_LIMITS });
    const user = { ...common, id: userId, organizationId };
    await identity.insertUser({ ...user, permissions: [], disabledAt: null });
  });

  /** Of the database's clock: what was changed before it is over. */
  const nextMillisecond = async (): Promise<void> => {
    const now = async () => (await given.store.identity.changesSince(null)).asOf;
    const before = await now();
    while ((await now()) <= before);
  };

  /** A server that looks when the test says so; `look` answers with what it was told. */
  const aServer = async () => {
    const clock = createManualClock();
    let told: string[] = [];
    let fails = false;
    const watch = createChangeWatch({
      identity: {
        ...given.store.identity,
        changesSince: async (since) => {
          if (fails) throw new Error("the database is away");
          return await given.store.identity.changesSince(since);
        },
      },
      clock,
      log: silentLog,
      listener: {
        tokenRevoked: (tokenId) => told.push(tokenId),
        userChanged: (organization, user) => told.push(`${organization}/${user}`),
        organizationsChanged: (ids) => told.push(ids.join(" ")),
        looked: async () => {
          await Promise.resolve();
        },
      },
    });
    await watch.start();
    const look = async (): Promise<string[]> => {
      told = [];
      await nextMillisecond();
      clock.advance(LOOK_MS);
      // The next look is set when this one is over.
      await clock.waitedFor(LOOK_MS);
      return told.toSorted();
    };
    return { look, stop: watch.stop, fail: (next: boolean) => (fails = next) };
  };

  const aToken = async () =>
    (
      await createToken(
        { identity: given.store.identity, clock: createManualClock(), random: systemRandom },
        { kind: "user", organizationId, userId, name: "t", expiresAt: null },
      )
    ).row.id;

  it("is told once: revoked tokens, changed users, changed organizations", async () => {
    const { identity } = given.store;
    const server = await aServer();
    const tokenId = await aToken();
    expect(await server.look()).toEqual([]);
    await identity.revokeToken(tokenId, 1);
    expect(await server.look()).toEqual([tokenId]);
    await identity.updateOrganization({ id: organizationId, weight: 7 });
    expect(await server.look()).toEqual([organizationId]);
    await identity.touchUser(organizationId, userId);
    expect(await server.look()).toEqual([`${organizationId}/${userId}`]);
    expect(await server.look()).toEqual([]);
    await server.stop();
  });

  it("is told again when it changes again", async () => {
    const server = await aServer();
    for (let change = 0; change < 2; change += 1) {
      await given.store.identity.touchUser(organizationId, userId);
      expect(await server.look()).toEqual([`${organizationId}/${userId}`]);
    }
    await server.stop();
  });

  it("is told later when the database was away in between", async () => {
    const server = await aServer();
    const tokenId = await aToken();
    server.fail(true);
    await given.store.identity.revokeToken(tokenId, 1);
    expect(await server.look()).toEqual([]);
    server.fail(false);
    expect(await server.look()).toEqual([tokenId]);
    await server.stop();
  });
});

it("a change in the millisecond of the look is told again: another may hide behind it", async () => {
  const clock = createManualClock();
  let asOf = 5;
  let told = 0;
  const users = [{ organizationId, id: userId, changedAt: 5 }];
  const changesSince = async () =>
    await Promise.resolve({ revokedTokens: [], users, organizations: [], asOf });
  const watch = createChangeWatch({
    identity: { changesSince },
    clock,
    log: silentLog,
    listener: {
      tokenRevoked: () => {},
      userChanged: () => {
        told += 1;
      },
      organizationsChanged: () => {},
      looked: async () => {
        await Promise.resolve();
      },
    },
  });
  await watch.start();
  asOf = 6;
  for (const times of [2, 2]) {
    clock.advance(LOOK_MS);
    await clock.waitedFor(LOOK_MS);
    expect(told).toBe(times);
  }
  await watch.stop();
});
