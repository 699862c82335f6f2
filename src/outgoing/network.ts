import { lookup, Resolver } from "node:dns/promises";

/** What is asked of the system: tests answer in its place. */
export type Network = {
  /** All addresses of a public name. Rejects if it has none. */
  resolve(host: string): Promise<readonly string[]>;
  /** The address to dial for one that has been checked: itself. */
  dial(address: string): string;
};

/** Of one question to one name server. */
const ASKING = { timeout: 2_000, tries: 2 } as const;

/**
 * Asks the name servers, not getaddrinfo: that would hold one of the process's few threads for as
 * long as somebody's slow name server likes, and it believes /etc/hosts.
 */
export const systemNetwork = (): Network => {
  const resolver = new Resolver(ASKING);
  return {
    resolve: async (host) => {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const addresses = answers.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
      if (addresses.length > 0) return addresses;
      const [first] = answers;
      throw first.status === "rejected" ? first.reason : new Error(`${host} has no address`);
    },
    dial: (address) => address,
  };
};

type Address = { readonly address: string; readonly family: number };
type Answer = (error: Error | null, address: string | readonly Address[], family?: number) => void;

/** As `net.connect` wants it. */
export type Lookup = (host: string, options: { readonly all?: boolean }, answer: Answer) => void;

/** Nobody else is asked: this is what the connection is made to. */
export const pinnedLookup =
  (addresses: readonly Address[]): Lookup =>
  (_host, options, answer) => {
    give(addresses, options, answer);
  };

/**
 * The system's own resolver, for names that an operator has configured. One question at a time for
 * each name: a name server that does not answer must not take all threads.
 */
const createSharedQuestions = (): ((host: string) => Promise<readonly Address[]>) => {
  const asked = new Map<string, Promise<readonly Address[]>>();
  const ask = async (host: string): Promise<readonly Address[]> => {
    try {
      return await lookup(host, { all: true });
    } finally {
      asked.delete(host);
    }
  };
  return async (host) => {
    const asking = asked.get(host) ?? ask(host);
    asked.set(host, asking);
    return await asking;
  };
};

/** All addresses that the system has for a name. Rejects if it has none. */
export const createSystemAddresses = (): ((host: string) => Promise<readonly string[]>) => {
  const ask = createSharedQuestions();
  return async (host) => (await ask(host)).map(({ address }) => address);
};

export const createSharedLookup = (): Lookup => {
  const ask = createSharedQuestions();
  return (host, options, answer) => {
    ask(host).then(
      (addresses) => {
        give(addresses, options, answer);
      },
      (cause: unknown) => {
        answer(cause instanceof Error ? cause : new Error(String(cause)), []);
      },
    );
  };
};

const give = (
  addresses: readonly Address[],
  options: { readonly all?: boolean },
  answer: Answer,
): void => {
  const [first] = addresses;
  if (first === undefined) answer(new Error("the name has no address"), []);
  else if (options.all === true) answer(null, addresses);
  else answer(null, first.address, first.family);
};
