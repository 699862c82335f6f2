import { shardOf } from "../src/cluster/shard-of.ts";
import { createToken } from "../src/identity/create-token.ts";
import type { OrganizationId, UserId } from "../src/jobs/ids.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { STANDARD_LIMITS, type Store } from "../src/store/store.ts";

/** An id that lives in the same shard as `near`. */
const neighbourOf = async (store: Store, near: OrganizationId): Promise<OrganizationId> => {
  const shards = (await store.shards.list()).length;
  for (;;) {
    const id = systemRandom.uuid() as OrganizationId;
    if (shardOf(id, shards) === shardOf(near, shards)) return id;
  }
};

/** An organization in the shard of `near`; answers with a token of its admin. */
export const addTenant = async (
  store: Store,
  near: OrganizationId,
  maxRunning: number,
): Promise<string> => {
  const { identity } = store;
  const organizationId = await neighbourOf(store, near);
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
  const maker = { identity, clock: systemClock, random: systemRandom };
  const wanted = { kind: "user" as const, organizationId, userId, name: "t", expiresAt: null };
  return (await createToken(maker, wanted)).text;
};
