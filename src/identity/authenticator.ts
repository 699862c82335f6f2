import { JobFault } from "../jobs/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Caller, Presented } from "./caller.ts";
import type { JobTokens } from "./job-tokens.ts";
import type { OutsideTokens } from "./outside-tokens.ts";
import type { StoredTokens } from "./stored-tokens.ts";

/** Tells who a bearer token speaks for, whatever kind of token it is. */
export type Authenticator = {
  /**
   * @param header the value of `authorization`
   * @throws JobFault UNAUTHENTICATED, always in the same words, so that nothing is learnt from them;
   * SHARD_UNAVAILABLE when the database is too slow to tell
   */
  authenticate(header: string | null): Promise<Caller>;
  /** Who the token speaks for now; null if for nobody. Leaves no trace of use. */
  inspect(text: string): Promise<Presented | null>;
};

export type AuthenticatorOptions = {
  readonly stored: StoredTokens;
  readonly jobTokens: JobTokens;
  /** Null: no JWTs are taken. */
  readonly outside: OutsideTokens | null;
  readonly clock: Clock;
};

/**
 * What is kept is at most 3 s old when a look begins (KEEP_MS of those who keep it); with this much
 * for the look itself nobody is let in on what was true more than 5 s ago, however slow the database.
 */
const LOOK_MS = 2_000;
const LOOKS = 3;

const tooSlow = (): JobFault =>
  new JobFault(
    "SHARD_UNAVAILABLE",
    "The database is too slow to say whether this token still holds. Try again shortly.",
    { retryAfterMs: 1_000 },
  );

export const unauthenticated = (): JobFault =>
  new JobFault(
    "UNAUTHENTICATED",
    "A valid bearer token is needed. Send `authorization: Bearer <token>`; `millrace token create` makes one.",
  );

/** The token in an `authorization` header; empty if there is none. */
export const bearerOf = (header: string | null): string =>
  /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? "";

/** Only such tokens have a row. */
const isStored = (text: string): boolean => text.startsWith("mr_");

/** The compact form: three parts, the first a JSON object. */
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

export const createAuthenticator = (options: AuthenticatorOptions): Authenticator => {
  const { stored, jobTokens, outside, clock } = options;
  const look = async (text: string): Promise<Presented | null> => {
    if (isStored(text)) return await stored.inspect(text);
    if (text.startsWith("mrj_")) return await jobTokens.inspect(text);
    if (outside !== null && JWT.test(text)) return await outside.inspect(text);
    return null;
  };
  const inspect = async (text: string): Promise<Presented | null> => {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const began = clock.monotonic();
      const presented = await look(text);
      if (clock.monotonic() - began < LOOK_MS) return presented;
    }
    throw tooSlow();
  };
  return {
    inspect,
    authenticate: async (header) => {
      const text = bearerOf(header);
      const presented = await inspect(text);
      if (presented === null) throw unauthenticated();
      if (isStored(text)) stored.touch(presented.caller.tokenId);
      return presented.caller;
    },
  };
};
