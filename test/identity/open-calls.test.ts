import { describe, expect, it } from "vitest";

import type { Authenticator } from "../../src/identity/authenticator.ts";
import type { Presented, UserCaller } from "../../src/identity/caller.ts";
import { createOpenCalls } from "../../src/identity/open-calls.ts";
import type { Permission } from "../../src/jobs/abilities.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { createManualClock } from "../support/manual-clock.ts";

const organizationId = "acme" as OrganizationId;
const userId = "ada" as UserId;

const adaWith = (...permissions: Permission[]): UserCaller => ({
  kind: "user",
  organizationId,
  userId,
  permissions: new Set(permissions),
  tokenId: "token",
  attempt: null,
});

/** One held call; `state.presented` is what the authenticator finds behind its token. */
const aHeldCall = async (expiresIn: number | null = null) => {
  const clock = createManualClock();
  const expiresAt = expiresIn === null ? null : clock.now() + expiresIn;
  const caller = adaWith("jobs:view");
  const presented: Presented = { caller, expiresAt, creatorId: "" };
  const state: { presented: Presented | null | Error } = { presented };
  const authenticator: Authenticator = {
    authenticate: async () => await Promise.reject(new Error("not asked for")),
    inspect: async () => {
      if (state.presented instanceof Error) throw state.presented;
      return await Promise.resolve(state.presented);
    },
  };
  const calls = createOpenCalls(authenticator, clock);
  const ended = Promise.withResolvers<string>();
  let ends = 0;
  const hold = async () =>
    await calls.hold({ authorization: "Bearer token", caller }, ({ reason }) => {
      ends += 1;
      ended.resolve(reason);
    });
  return { clock, calls, state, hold, ended: ended.promise, ends: () => ends };
};

describe("a held call", () => {
  it("ends when its token is revoked, once", async () => {
    const { calls, hold, ended, ends } = await aHeldCall();
    await hold();
    calls.tokenRevoked("another");
    expect(ends()).toBe(0);
    calls.tokenRevoked("token");
    calls.tokenRevoked("token");
    expect(await ended).toBe("UNAUTHENTICATED");
    expect(ends()).toBe(1);
  });

  it("is not begun if the token was revoked since the gate", async () => {
    const { state, hold, ends } = await aHeldCall();
    state.presented = null;
    await expect(hold()).rejects.toMatchObject({ reason: "UNAUTHENTICATED" });
    expect(ends()).toBe(0);
  });

  it("ends when its token expires", async () => {
    const { clock, hold, ended, ends } = await aHeldCall(60_000);
    await hold();
    clock.advance(59_999);
    expect(ends()).toBe(0);
    clock.advance(1);
    expect(await ended).toBe("UNAUTHENTICATED");
  });

  it("ends when its user is disabled", async () => {
    const { calls, state, hold, ended } = await aHeldCall();
    await hold();
    state.presented = null;
    calls.userChanged(organizationId, userId);
    expect(await ended).toBe("UNAUTHENTICATED");
  });

  it("ends when its user may do other things, so that it can begin anew with these", async () => {
    const { calls, state, hold, ended } = await aHeldCall();
    await hold();
    const caller = adaWith("jobs:view", "jobs:cancel");
    state.presented = { caller, expiresAt: null, creatorId: "" };
    calls.userChanged(organizationId, userId);
    expect(await ended).toBe("CALLER_CHANGED");
  });

  it("goes on when its user has got another name, or another user has changed", async () => {
    const { calls, hold, ended } = await aHeldCall();
    await hold();
    calls.userChanged(organizationId, userId);
    calls.userChanged(organizationId, "bob" as UserId);
    calls.userChanged("globex" as OrganizationId, userId);
    await Promise.resolve();
    expect(await Promise.race([ended, new Promise((resolve) => setImmediate(resolve))])).toBe(
      undefined,
    );
  });

  it("ends rather than goes on when nobody can tell what its user may do", async () => {
    const { calls, state, hold, ended } = await aHeldCall();
    await hold();
    state.presented = new JobFault("SHARD_UNAVAILABLE", "the database is away");
    calls.userChanged(organizationId, userId);
    expect(await ended).toBe("SHARD_UNAVAILABLE");
  });

  it("that was released hears of nothing any more", async () => {
    const { clock, calls, hold, ends } = await aHeldCall(60_000);
    (await hold())();
    calls.tokenRevoked("token");
    clock.advance(60_000);
    expect(ends()).toBe(0);
  });
});
