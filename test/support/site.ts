import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { createToken } from "../../src/identity/create-token.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { migrateUp } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/open.ts";
import { STANDARD_LIMITS } from "../../src/store/store.ts";

/** A migrated database with an organization, a user of it and tokens for everybody. */
export type Site = {
  readonly databaseUrl: string;
  readonly organizationId: OrganizationId;
  readonly token: string;
  readonly runnerToken: string;
};

/** `maxRunning`: null keeps the default limit of running jobs. */
export const prepareSite = async (
  databaseUrl: string,
  maxRunning: number | null = null,
): Promise<Site> => {
  await migrateUp(databaseUrl);
  const store = await openStore(databaseUrl);
  try {
    const { identity } = store;
    const maker = { identity, clock: systemClock, random: systemRandom };
    const organizationId = systemRandom.uuid() as OrganizationId;
    const userId = systemRandom.uuid() as UserId;
    const createdAt = systemClock.now();
    await identity.insertOrganization({
      id: organizationId,
      name: `org-${organizationId}`,
      ...STANDARD_LIMITS,
      maxRunning,
      createdAt,
    });
    await identity.insertUser({
      id: userId,
      organizationId,
      name: "ada",
      permissions: ["admin"],
      disabledAt: null,
      createdAt,
    });
    const forUser = { kind: "user" as const, organizationId, userId, name: "t", expiresAt: null };
    const user = await createToken(maker, forUser);
    const runner = await createToken(maker, { kind: "runner", name: "r", expiresAt: null });
    return { databaseUrl, organizationId, token: user.text, runnerToken: runner.text };
  } finally {
    await store.close();
  }
};
