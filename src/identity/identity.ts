import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import type { Random } from "../runtime/random.ts";
import type { ShardId, Store } from "../store/store.ts";
import { type Authenticator, createAuthenticator } from "./authenticator.ts";
import { createChangeWatch } from "./change-watch.ts";
import { createJobTokenKeys } from "./job-token-keys.ts";
import { createJobTokens, type JobTokens } from "./job-tokens.ts";
import { createKnownUsers, type KnownUsers } from "./known-users.ts";
import { createOpenCalls, type OpenCalls } from "./open-calls.ts";
import { createOutsideTokens, type OutsideIssuer } from "./outside-tokens.ts";
import { createStoredTokens } from "./stored-tokens.ts";

/**
 * Who calls this server, and with what right. `start` reads the time of the database, so that no
 * change from then on is missed, and fetches the keys of jobs' tokens; `stop` ends the looking.
 */
export type Identity = Service & {
  readonly authenticator: Authenticator;
  readonly users: KnownUsers;
  readonly calls: OpenCalls;
  readonly jobTokens: JobTokens;
  /** To be told by whoever changes something on this server, after the change: it counts at once. */
  tokenRevoked(tokenId: string): void;
  /** Also for his attributes. */
  userChanged(organizationId: OrganizationId, userId: UserId): void;
};

export type IdentityOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly shardOf: (organizationId: OrganizationId) => ShardId;
  /** Whose JWTs are taken; null: nobody's. */
  readonly outsideIssuer: OutsideIssuer | null;
  /** Organizations whose limits were changed, here or elsewhere, at most 2 s ago. */
  readonly onOrganizations: (organizationIds: readonly OrganizationId[]) => void;
};

export const createIdentity = (options: IdentityOptions): Identity => {
  const { store, clock, random, log, shardOf, outsideIssuer, onOrganizations } = options;
  const { identity } = store;
  const users = createKnownUsers({ identity, clock, shardOf });
  const stored = createStoredTokens({ identity, users, clock, log });
  const keys = createJobTokenKeys(store.secrets, random);
  const jobTokens = createJobTokens({ keys, jobs: store.jobs, users, shardOf });
  const outside =
    outsideIssuer === null
      ? null
      : createOutsideTokens({ issuer: outsideIssuer, identity, users, clock, log });
  const authenticator = createAuthenticator({ stored, jobTokens, outside, clock });
  const calls = createOpenCalls(authenticator, clock);

  // Forgotten first: the calls are looked at with what the database says now.
  const tokenRevoked = (tokenId: string): void => {
    stored.forget(tokenId);
    calls.tokenRevoked(tokenId);
  };
  const userChanged = (organizationId: OrganizationId, userId: UserId): void => {
    users.forget(organizationId, userId);
    outside?.forgetNames();
    calls.userChanged(organizationId, userId);
  };
  const watch = createChangeWatch({
    identity,
    clock,
    log,
    listener: {
      tokenRevoked,
      userChanged,
      organizationsChanged: onOrganizations,
      looked: keys.turnTo,
    },
  });
  return { ...watch, authenticator, users, calls, jobTokens, tokenRevoked, userChanged };
};
