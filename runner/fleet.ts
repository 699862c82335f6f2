import { Code, ConnectError } from "@connectrpc/connect";

import type { SyncResponse } from "../src/gen/millrace/internal/v1/runner_service_pb.ts";
import type { ServerConnection } from "./connection.ts";
import type { SyncLoop } from "./sync.ts";

/**
 * The servers that this runner talks to: one connection and one sync loop for each live one. It
 * starts with the one URL that it was given; from then on the servers themselves say who is there.
 */
export type Fleet = {
  /** Resolves with the first answer of any server. @throws ConnectError if it refuses us */
  start(): Promise<void>;
  /** Says a change of slots to all servers at once. */
  announce(): Promise<void>;
  /**
   * The best way to the server that gave out an attempt: itself if it answers, else another.
   * @throws ConnectError FAILED_PRECONDITION once it is stopped
   */
  route(home: string): ServerConnection;
  /** The same, and after it all others that answer: one of them may own the shard by now. */
  routes(home: string): readonly ServerConnection[];
  urls(): readonly string[];
  stop(): Promise<void>;
};

export type FleetOptions = {
  readonly seed: string;
  readonly connect: (url: string) => ServerConnection;
  readonly loop: (
    connection: ServerConnection,
    heard: (response: SyncResponse) => void,
    failed: (cause: ConnectError) => void,
  ) => SyncLoop;
  /** Every answer, after the fleet has learnt from it. */
  readonly heard: (url: string, response: SyncResponse) => void;
  /** Whether a failure means that asking again is in vain. */
  readonly refuses: (cause: ConnectError) => boolean;
};

type Link = { readonly connection: ServerConnection; readonly loop: SyncLoop };

/** `http://host:7411/` and `http://host:7411` are one server, and must not be asked twice. */
const plain = (url: string): string => url.replace(/\/+$/, "");

export const createFleet = (options: FleetOptions): Fleet => {
  const links = new Map<string, Link>();
  const retired = new Set<Link>();
  const seed = plain(options.seed);
  let stopped = false;
  let ready: { resolve: () => void; reject: (cause: ConnectError) => void } | null = null;

  const open = (url: string): void => {
    const connection = options.connect(url);
    const loop = options.loop(
      connection,
      (response) => {
        learn(url, response.serverUrls.map(plain));
        options.heard(url, response);
        ready?.resolve();
        ready = null;
      },
      (cause) => {
        if (ready !== null && options.refuses(cause)) {
          ready.reject(cause);
          ready = null;
        }
        // Nobody that we know of answers: begin again where we began.
        if (!links.has(seed) && !stopped && ![...links.values()].some(isHealthy)) open(seed);
      },
    );
    links.set(url, { connection, loop });
    loop.start();
  };

  const isHealthy = ({ loop }: Link): boolean => loop.healthy();

  const learn = (from: string, listed: readonly string[]): void => {
    if (stopped || listed.length === 0) return;
    for (const url of listed) if (!links.has(url)) open(url);
    // Whoever is not listed any more is let go of, once somebody who is listed answers. Until then
    // it may be our only way.
    const reachable = listed.some((url) => url === from || links.get(url)?.loop.healthy() === true);
    if (!reachable) return;
    for (const [url, link] of links) if (!listed.includes(url)) retire(url, link);
  };

  const letGo = async (link: Link): Promise<void> => {
    await link.loop.finish();
    retired.delete(link);
    link.connection.close();
  };

  /** Hears its last answer to the end: there may be assignments in it. */
  const retire = (url: string, link: Link): void => {
    links.delete(url);
    retired.add(link);
    void letGo(link);
  };

  const route = (home: string): ServerConnection => {
    // Another call would open a connection again that nobody closes.
    if (stopped) throw new ConnectError("the runner has stopped", Code.FailedPrecondition);
    const own = links.get(home);
    if (own?.loop.healthy() === true) return own.connection;
    const other = [...links.values()].find(isHealthy) ?? own ?? [...links.values()][0];
    if (other === undefined) throw new Error("the fleet has not been started");
    return other.connection;
  };

  return {
    start: async () => {
      await new Promise<void>((resolve, reject) => {
        ready = { resolve, reject };
        open(seed);
      });
    },
    announce: async () => {
      await Promise.all([...links.values()].map(async ({ loop }) => await loop.announce()));
    },
    route,
    routes: (home) => {
      const best = route(home);
      const others = [...links.values()].filter(isHealthy).map(({ connection }) => connection);
      return [best, ...others.filter((connection) => connection !== best)];
    },
    urls: () => [...links.keys()],
    stop: async () => {
      stopped = true;
      ready?.reject(new ConnectError("the runner stops", Code.Canceled));
      ready = null;
      const all = [...links.values(), ...retired];
      await Promise.all(all.map(async ({ loop }) => await loop.stop()));
      for (const { connection } of all) connection.close();
    },
  };
};
