import { LRUCache } from "lru-cache";

import { permittedTo } from "../jobs/abilities.ts";
import { JobFault } from "../jobs/errors.ts";
import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { IdentityStore, TokenRow } from "../store/store.ts";
import type { Caller, UserCaller } from "./caller.ts";
import { parseToken, secretMatches } from "./token.ts";

/**
 * Tells who a bearer token speaks for. Keeps what it read of a token for 5 s, so that a busy caller
 * costs no read per call; that is how long a revocation made elsewhere may take to be seen (C3).
 * Nothing here outlives the process but `last_used_at`.
 */
const REMEMBER_MS = 5_000;
const REMEMBERED_TOKENS = 10_000;
const TOUCH_EVERY_MS = 60_000;

export type Authenticator = {
  /**
   * @param header the value of `authorization`
   * @throws JobFault UNAUTHENTICATED, always in the same words, so that nothing is learnt from them
   */
  authenticate(header: string | null): Promise<Caller>;
  /** Takes effect at once in this server. False if there is no such token, or it was revoked before. */
  revoke(tokenId: string): Promise<boolean>;
};

type Known = { readonly row: TokenRow; readonly caller: Caller } | null;

type Remembered = { readonly readAt: number; readonly known: Promise<Known> };

export type AuthenticatorOptions = {
  readonly identity: IdentityStore;
  readonly clock: Clock;
  readonly log: Log;
};

const refused = (): JobFault =>
  new JobFault(
    "UNAUTHENTICATED",
    "A valid bearer token is needed. Send `authorization: Bearer <token>`; `millrace token create` makes one.",
  );

const bearer = (header: string | null): string | null =>
  /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? null;

export const createAuthenticator = ({
  identity,
  clock,
  log,
}: AuthenticatorOptions): Authenticator => {
  const remembered = new LRUCache<string, Remembered>({ max: REMEMBERED_TOKENS });
  const touched = new LRUCache<string, number>({ max: REMEMBERED_TOKENS });

  const read = async (tokenId: string): Promise<Known> => {
    const row = await identity.findToken(tokenId);
    if (row === null) return null;
    if (row.kind !== "user") return { row, caller: { kind: row.kind, tokenId: row.id } };
    const organizationId = row.organizationId as OrganizationId;
    const user = await identity.findUser(organizationId, row.userId as UserId);
    if (user === null || user.disabledAt !== null) return null;
    const caller: UserCaller = {
      kind: "user",
      organizationId,
      userId: user.id,
      permissions: permittedTo(user.permissions, row.permissions),
      tokenId: row.id,
      attempt: null,
      deferred: false,
    };
    return { row, caller };
  };

  const look = async (tokenId: string): Promise<Known> => {
    const fresh = remembered.get(tokenId);
    if (fresh !== undefined && clock.monotonic() - fresh.readAt < REMEMBER_MS)
      return await fresh.known;
    const entry: Remembered = { readAt: clock.monotonic(), known: read(tokenId) };
    remembered.set(tokenId, entry);
    try {
      return await entry.known;
    } catch (cause) {
      // A failed read says nothing about the token: the next call asks again.
      if (remembered.peek(tokenId) === entry) remembered.delete(tokenId);
      throw cause;
    }
  };

  const touch = (tokenId: string): void => {
    const now = clock.now();
    if (now - (touched.get(tokenId) ?? 0) < TOUCH_EVERY_MS) return;
    touched.set(tokenId, now);
    identity.touchToken(tokenId, now).catch((cause: unknown) => {
      log.warn({ err: cause, tokenId }, "the last use of a token was not noted");
    });
  };

  return {
    authenticate: async (header) => {
      const token = parseToken(bearer(header) ?? "");
      if (token === null) throw refused();
      const known = await look(token.id);
      if (known === null || !secretMatches(token.secret, known.row.hash)) throw refused();
      const { revokedAt, expiresAt } = known.row;
      if (revokedAt !== null || (expiresAt !== null && expiresAt <= clock.now())) throw refused();
      touch(token.id);
      return known.caller;
    },
    revoke: async (tokenId) => {
      const revoked = await identity.revokeToken(tokenId, clock.now());
      remembered.delete(tokenId);
      return revoked;
    },
  };
};
