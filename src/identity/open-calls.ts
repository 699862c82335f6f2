import { JobFault } from "../jobs/errors.ts";
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Authenticator, bearerOf, unauthenticated } from "./authenticator.ts";
import type { Caller } from "./caller.ts";

/**
 * The calls that outlive the moment in which their token was checked: streams and long polls. Each
 * is held by its token and its user, and ended when these are worth less than when it began. Costs
 * a call nothing while nothing changes, but a timer if its token expires.
 */
export type OpenCalls = {
  /**
   * Holds a call, until the answer is called. `end` is called once at most.
   * @throws JobFault UNAUTHENTICATED if the token was revoked between the gate and here
   */
  hold(
    call: { readonly authorization: string | null; readonly caller: Caller },
    end: (fault: JobFault) => void,
  ): Promise<() => void>;
  tokenRevoked(tokenId: string): void;
  /** Of the user's calls those end that he may not make any more, or would be told other things. */
  userChanged(organizationId: OrganizationId, userId: UserId): void;
};

type Held = {
  readonly authorization: string | null;
  readonly caller: Caller;
  readonly end: (fault: JobFault) => void;
};

/** Held calls by a key; empty sets are dropped. */
class Index {
  readonly #sets = new Map<string, Set<Held>>();

  add(key: string, held: Held): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([held]));
    else set.add(held);
  }

  remove(key: string, held: Held): void {
    const set = this.#sets.get(key);
    if (set?.delete(held) === true && set.size === 0) this.#sets.delete(key);
  }

  of(key: string): Held[] {
    return [...(this.#sets.get(key) ?? [])];
  }
}

const userKey = (organizationId: OrganizationId, userId: string): string =>
  `${organizationId} ${userId}`;

const keyOf = ({ caller }: Held): string | null =>
  caller.kind === "user" && caller.userId !== ""
    ? userKey(caller.organizationId, caller.userId)
    : null;

/** Whether both would be answered alike. */
const isSame = (one: Caller, other: Caller): boolean =>
  one.kind !== "user" ||
  other.kind !== "user" ||
  one.permissions.symmetricDifference(other.permissions).size === 0;

const changed = (): JobFault =>
  new JobFault("CALLER_CHANGED", "What this token may do has changed. Make the call again.");

export const createOpenCalls = (authenticator: Authenticator, clock: Clock): OpenCalls => {
  const byToken = new Index();
  const byUser = new Index();

  const examine = async (held: Held): Promise<number | null> => {
    const presented = await authenticator.inspect(bearerOf(held.authorization));
    if (presented === null) throw unauthenticated();
    if (!isSame(presented.caller, held.caller)) throw changed();
    return presented.expiresAt;
  };

  const examineAgain = (held: Held): void => {
    examine(held).catch((caught: unknown) => held.end(JobFault.from(caught)));
  };

  return {
    hold: async ({ authorization, caller }, end) => {
      let over = false;
      let expiry = (): void => {};
      const release = (): void => {
        over = true;
        expiry();
        byToken.remove(caller.tokenId, held);
        if (user !== null) byUser.remove(user, held);
      };
      const held: Held = {
        authorization,
        caller,
        end: (fault) => {
          if (over) return;
          release();
          end(fault);
        },
      };
      const user = keyOf(held);
      byToken.add(caller.tokenId, held);
      if (user !== null) byUser.add(user, held);
      // Looked at again after it is held: a revocation in between met neither gate nor index.
      try {
        const expiresAt = await examine(held);
        const wait = (): void => {
          if (expiresAt === null || over) return;
          const left = expiresAt - clock.now();
          if (left <= 0) held.end(unauthenticated());
          // A timer may come early: the clock was set, or it is more than 24 days.
          else expiry = clock.after(left, wait);
        };
        wait();
      } catch (caught) {
        release();
        throw caught;
      }
      return release;
    },
    tokenRevoked: (tokenId) => {
      for (const held of byToken.of(tokenId)) held.end(unauthenticated());
    },
    userChanged: (organizationId, userId) => {
      for (const held of byUser.of(userKey(organizationId, userId))) examineAgain(held);
    },
  };
};
