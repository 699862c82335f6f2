import { DEFERRED_ACTION } from "../jobs/attribute.ts";
import { isId, type OrganizationId, type UserId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { IdentityStore, ShardId, UserRow } from "../store/store.ts";
import { remember } from "./remember.ts";

/** A user as this server knows him, at most 3 s old. */
export type KnownUser = {
  readonly row: UserRow;
  /** Jobs that act for him are HELD until they are released (row C6). */
  readonly deferred: boolean;
};

export type KnownUsers = {
  /** Null if the organization has no such user. Who is disabled is found too. */
  find(organizationId: OrganizationId, userId: string): Promise<KnownUser | null>;
  /** Whatever was changed of him, attributes too, counts from now on. */
  forget(organizationId: OrganizationId, userId: UserId): void;
};

export type KnownUsersOptions = {
  readonly identity: IdentityStore;
  readonly clock: Clock;
  /** Attributes are kept with the jobs of their organization. */
  readonly shardOf: (organizationId: OrganizationId) => ShardId;
};

const KEEP_MS = 3_000;
const MAX_USERS = 10_000;

/** Ids hold no space. */
const keyOf = (organizationId: OrganizationId, userId: string): string =>
  `${organizationId} ${userId}`;

export const createKnownUsers = ({ identity, clock, shardOf }: KnownUsersOptions): KnownUsers => {
  const memory = remember<KnownUser | null>({
    clock,
    keepMs: KEEP_MS,
    max: MAX_USERS,
    read: async (key) => {
      const [organizationId, userId] = key.split(" ") as [OrganizationId, UserId];
      const place = { shardId: shardOf(organizationId), organizationId };
      const [row, deferred] = await Promise.all([
        identity.findUser(organizationId, userId),
        identity.hasAttribute(place, userId, { name: DEFERRED_ACTION, value: "true" }),
      ]);
      return row === null ? null : { row, deferred };
    },
  });
  return {
    find: async (organizationId, userId) =>
      isId(userId) ? await memory.get(keyOf(organizationId, userId)) : null,
    forget: (organizationId, userId) => {
      memory.forget(keyOf(organizationId, userId));
    },
  };
};
