import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { Clock } from "../runtime/clock.ts";
import { every } from "../runtime/every.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import type { IdentityChanges, IdentityStore } from "../store/store.ts";

/** With the read itself well below the 5 s within which a revocation counts everywhere (row C3). */
const LOOK_EVERY_MS = 2_000;

/** What other servers, and this one, have changed. Each change is told at least once. */
export type ChangeListener = {
  tokenRevoked(tokenId: string): void;
  userChanged(organizationId: OrganizationId, userId: UserId): void;
  organizationsChanged(organizationIds: readonly OrganizationId[]): void;
  /** The database's clock, after each look. */
  looked(asOf: Millis): Promise<void>;
};

export type ChangeWatchOptions = {
  readonly identity: Pick<IdentityStore, "changesSince">;
  readonly clock: Clock;
  readonly log: Log;
  readonly listener: ChangeListener;
};

type Changed = { readonly id: string; readonly changedAt: Millis };

const markOf = ({ id, changedAt }: Changed): string => `${id} ${changedAt}`;

/**
 * What need not be told again. A change of the very millisecond of the look may have been followed
 * by another one in it, which looks the same: it is told once more.
 */
const marksOf = ({
  revokedTokens,
  users,
  organizations,
  asOf,
}: IdentityChanges): ReadonlySet<string> =>
  new Set([
    ...revokedTokens,
    ...[...users, ...organizations].filter(({ changedAt }) => changedAt < asOf).map(markOf),
  ]);

/**
 * Looks every 2 s for what has changed in who may do what. The store looks back further than the
 * last look, so that no slow commit is missed; what was told with the last look is left out.
 */
export const createChangeWatch = (options: ChangeWatchOptions): Service => {
  const { identity, clock, log, listener } = options;
  let since: Millis | null = null;
  let told: ReadonlySet<string> = new Set();

  const look = async (): Promise<void> => {
    const changes = await identity.changesSince(since);
    const isNew = (change: Changed): boolean => !told.has(markOf(change));
    for (const tokenId of changes.revokedTokens) {
      if (!told.has(tokenId)) listener.tokenRevoked(tokenId);
    }
    for (const { organizationId, id } of changes.users.filter(isNew)) {
      listener.userChanged(organizationId, id);
    }
    const organizations = changes.organizations.filter(isNew).map(({ id }) => id);
    if (organizations.length > 0) listener.organizationsChanged(organizations);
    since = changes.asOf;
    told = marksOf(changes);
    await listener.looked(changes.asOf);
  };

  const looking = every({
    clock,
    log,
    name: "looking for changed users and tokens",
    ms: LOOK_EVERY_MS,
    run: look,
  });
  return {
    start: async () => {
      await look();
      looking.start();
    },
    stop: async () => {
      await looking.stop();
    },
  };
};
