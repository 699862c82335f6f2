import { LRUCache } from "lru-cache";

import { impliedBy, permittedTo } from "../jobs/abilities.ts";
import type { OrganizationId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { IdentityStore, TokenRow } from "../store/store.ts";
import type { Caller, Presented } from "./caller.ts";
import type { KnownUser, KnownUsers } from "./known-users.ts";
import { remember } from "./remember.ts";
import { parseToken, secretMatches } from "./token.ts";

/**
 * The tokens that have a row: of users, of organizations, of runners and of operators. Keeps what it
 * read of a token for 3 s; what is revoked is forgotten at once. Nothing here outlives the process
 * but `last_used_at`.
 */
export type StoredTokens = {
  /** Null for whatever is unknown, expired or revoked, or speaks for somebody who is disabled. */
  inspect(text: string): Promise<Presented | null>;
  /** Notes that it was used, once a minute at most. */
  touch(tokenId: string): void;
  forget(tokenId: string): void;
};

export type StoredTokenOptions = {
  readonly identity: IdentityStore;
  readonly users: KnownUsers;
  readonly clock: Clock;
  readonly log: Log;
};

const KEEP_MS = 3_000;
const MAX_TOKENS = 10_000;
const TOUCH_EVERY_MS = 60_000;

/** Made once for each state of a token and its user: a busy token makes thousands of calls a second. */
type Made = { readonly row: TokenRow; readonly user: KnownUser | null; readonly caller: Caller };

const callerOf = (row: TokenRow, user: KnownUser | null): Caller => {
  if (row.kind !== "user") return { kind: row.kind, tokenId: row.id };
  return {
    kind: "user",
    organizationId: row.organizationId as OrganizationId,
    userId: row.userId,
    // The organization itself is no user: such a token may do what it was given, and nothing else.
    permissions:
      user === null
        ? impliedBy(row.permissions ?? [])
        : permittedTo(user.row.permissions, row.permissions),
    tokenId: row.id,
    attempt: null,
  };
};

export const createStoredTokens = (options: StoredTokenOptions): StoredTokens => {
  const { identity, users, clock, log } = options;
  const memory = remember<TokenRow | null>({
    clock,
    keepMs: KEEP_MS,
    max: MAX_TOKENS,
    read: async (tokenId) => await identity.findToken(tokenId),
  });
  const made = new LRUCache<string, Made>({ max: MAX_TOKENS });
  const touched = new LRUCache<string, number>({ max: MAX_TOKENS });

  const speaker = async (row: TokenRow): Promise<Caller | null> => {
    const ofUser = row.kind === "user" && row.userId !== "";
    const user = ofUser ? await users.find(row.organizationId as OrganizationId, row.userId) : null;
    if (ofUser && (user === null || user.row.disabledAt !== null)) return null;
    const known = made.get(row.id);
    if (known !== undefined && known.row === row && known.user === user) return known.caller;
    const caller = callerOf(row, user);
    made.set(row.id, { row, user, caller });
    return caller;
  };

  return {
    inspect: async (text) => {
      const token = parseToken(text);
      if (token === null) return null;
      const row = await memory.get(token.id);
      if (row === null || !secretMatches(token.secret, row.hash)) return null;
      const { revokedAt, expiresAt } = row;
      if (revokedAt !== null || (expiresAt !== null && expiresAt <= clock.now())) return null;
      const caller = await speaker(row);
      return caller === null ? null : { caller, expiresAt, creatorId: "" };
    },
    touch: (tokenId) => {
      const now = clock.now();
      if (now - (touched.get(tokenId) ?? 0) < TOUCH_EVERY_MS) return;
      touched.set(tokenId, now);
      identity.touchToken(tokenId, now).catch((cause: unknown) => {
        log.warn({ err: cause, tokenId }, "the last use of a token was not noted");
      });
    },
    forget: (tokenId) => {
      memory.forget(tokenId);
    },
  };
};
