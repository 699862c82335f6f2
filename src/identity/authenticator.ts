import { JobFault } from "../jobs/errors.ts";
import type { Caller, Presented } from "./caller.ts";
import type { JobTokens } from "./job-tokens.ts";
import type { StoredTokens } from "./stored-tokens.ts";

/** Tells who a bearer token speaks for, whatever kind of token it is. */
export type Authenticator = {
  /**
   * @param header the value of `authorization`
   * @throws JobFault UNAUTHENTICATED, always in the same words, so that nothing is learnt from them
   */
  authenticate(header: string | null): Promise<Caller>;
  /** Who the token speaks for now; null if for nobody. Leaves no trace of use. */
  inspect(text: string): Promise<Presented | null>;
};

export type AuthenticatorOptions = {
  readonly stored: StoredTokens;
  readonly jobTokens: JobTokens;
};

export const unauthenticated = (): JobFault =>
  new JobFault(
    "UNAUTHENTICATED",
    "A valid bearer token is needed. Send `authorization: Bearer <token>`; `millrace token create` makes one.",
  );

/** The token in an `authorization` header; empty if there is none. */
export const bearerOf = (header: string | null): string =>
  /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? "";

/** Only such tokens have a row. */
const isStored = (caller: Caller): boolean => caller.kind !== "user" || caller.attempt === null;

export const createAuthenticator = (options: AuthenticatorOptions): Authenticator => {
  const { stored, jobTokens } = options;
  const inspect = async (text: string): Promise<Presented | null> => {
    if (text.startsWith("mr_")) return await stored.inspect(text);
    if (text.startsWith("mrj_")) return await jobTokens.inspect(text);
    return null;
  };
  return {
    inspect,
    authenticate: async (header) => {
      const presented = await inspect(bearerOf(header));
      if (presented === null) throw unauthenticated();
      if (isStored(presented.caller)) stored.touch(presented.caller.tokenId);
      return presented.caller;
    },
  };
};
