import { JobFault } from "../jobs/errors.ts";
import type { Caller, Presented } from "./caller.ts";
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

export type AuthenticatorOptions = { readonly stored: StoredTokens };

export const unauthenticated = (): JobFault =>
  new JobFault(
    "UNAUTHENTICATED",
    "A valid bearer token is needed. Send `authorization: Bearer <token>`; `millrace token create` makes one.",
  );

/** The token in an `authorization` header; empty if there is none. */
export const bearerOf = (header: string | null): string =>
  /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? "";

export const createAuthenticator = ({ stored }: AuthenticatorOptions): Authenticator => {
  const inspect = async (text: string): Promise<Presented | null> => await stored.inspect(text);
  return {
    inspect,
    authenticate: async (header) => {
      const presented = await inspect(bearerOf(header));
      if (presented === null) throw unauthenticated();
      stored.touch(presented.caller.tokenId);
      return presented.caller;
    },
  };
};
