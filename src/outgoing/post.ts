import { isIP } from "node:net";

import { type Network, createSystemAddresses } from "./network.ts";
import { createPinnedPools } from "./pinned-pools.ts";
import { hostOf, mayDial, type Receivers } from "./receivers.ts";

/** One POST. The URL has been checked by `whyNoReceiver`. */
export type Message = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** What came of it. */
export type Answer = {
  /** 0 if there was no answer. */
  readonly status: number;
  /** The header, as it came; empty without. */
  readonly retryAfter: string;
  /** Why there was no answer, in one sentence; empty with one. */
  readonly error: string;
};

/** @throws the signal's reason, and nothing else */
export type Post = (message: Message, signal: AbortSignal) => Promise<Answer>;

export type Poster = {
  readonly post: Post;
  /** Ends what is under way. */
  stop(): Promise<void>;
};

export type PosterOptions = {
  readonly receivers: Receivers;
  readonly network: Network;
  readonly clock: { after(ms: number, run: () => void): () => void };
  /** Connections to one receiver. */
  readonly connections: number;
};

/** Of one exchange: names, connection, headers and body. */
export const POST_MS = 15_000;
/** Of the body of an answer; the rest is not read. */
const BODY_BYTES = 64 * 1024;
const HEADER_BYTES = 16 * 1024;

const noAnswer = (error: string): Answer => ({ status: 0, retryAfter: "", error });

/** Said in an answer; never what a private name resolves to. */
class NotSent extends Error {
  override readonly name = "NotSent";
}

const codeOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "";
  if ("code" in cause && typeof cause.code === "string") return `: ${cause.code}`;
  return cause.name === "HTTPParserError" ? ": its answer is not HTTP/1.1" : "";
};

const explained = (cause: unknown, { host }: URL): Answer =>
  noAnswer(
    cause instanceof NotSent ? cause.message : `The exchange with ${host} failed${codeOf(cause)}.`,
  );

/** What `work` comes to, unless the signal is faster. */
const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
};

/**
 * Sends to receivers that others have named. Every address of a name is checked, and one of those is
 * what is dialled; redirects are answers like others.
 */
export const createPoster = (options: PosterOptions): Poster => {
  const { receivers, network, clock, connections } = options;
  const limits = { connections, connectMs: POST_MS, headerBytes: HEADER_BYTES };
  const pools = createPinnedPools(network, limits);
  const systemAddresses = createSystemAddresses();

  const resolved = async (host: string): Promise<readonly string[]> => {
    try {
      return await network.resolve(host);
    } catch {
      throw new NotSent(`The name ${host} cannot be resolved.`);
    }
  };

  const addressesOf = async (url: URL): Promise<readonly string[]> => {
    const host = hostOf(url);
    // An operator has named it: wherever it leads.
    if (receivers.hosts.has(host)) return await systemAddresses(host);
    const addresses = isIP(host) === 0 ? await resolved(host) : [host];
    if (addresses.every((address) => mayDial(receivers, address))) return addresses;
    throw new NotSent(`${host} does not lead to public addresses only.`);
  };

  const exchange = async (
    url: URL,
    { headers, body }: Message,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const addresses = await unlessAborted(addressesOf(url), signal);
    const response = await pools.pool(url.origin, addresses).request({
      path: url.pathname + url.search,
      method: "POST",
      headers,
      body,
      signal,
      // The time of the whole exchange is ours.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    await response.body.dump({ limit: BODY_BYTES, signal });
    const retryAfter = response.headers["retry-after"];
    return {
      status: response.statusCode,
      retryAfter: typeof retryAfter === "string" ? retryAfter : "",
      error: "",
    };
  };

  return {
    post: async (message, signal) => {
      const url = new URL(message.url);
      const late = new AbortController();
      const cancel = clock.after(POST_MS, () => {
        late.abort(new NotSent(`${url.host} did not answer within ${POST_MS / 1_000} s.`));
      });
      try {
        return await exchange(url, message, AbortSignal.any([signal, late.signal]));
      } catch (cause) {
        signal.throwIfAborted();
        return explained(late.signal.aborted ? late.signal.reason : cause, url);
      } finally {
        cancel();
      }
    },
    stop: async () => {
      await pools.stop();
    },
  };
};
