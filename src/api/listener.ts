import { createServer as createHttp1, type RequestListener, type Server } from "node:http";
import { createServer as createHttp2, type Http2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";

import type { Clock } from "../runtime/clock.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import { keepSessions, type Sessions } from "./sessions.ts";
import { sniff } from "./sniff.ts";

/**
 * One port for HTTP/1.1 and for HTTP/2 without TLS. The first bytes of a connection tell which:
 * the http server's own connection listener is replaced by one that looks, and then hands the
 * connection to the http2 server or on to the one it replaced (so that headersTimeout and
 * requestTimeout of the http server stay in force).
 */
export type Listener = Service & {
  /** Known once started; a port of 0 has become a real one. */
  address(): { readonly host: string; readonly port: number };
  /** From now on. Until then every request is answered with 503. */
  serve(handler: RequestListener): void;
};

export type ListenerOptions = {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How long `stop` lets calls that are under way go on. */
  readonly drainMs: number;
  readonly patience?: Patience;
};

/** What a client may take, in milliseconds, for its first bytes, its headers, its http2 settings. */
export type Patience = {
  readonly firstBytesMs: number;
  readonly headersMs: number;
  readonly settingsMs: number;
};

const PATIENCE: Patience = { firstBytesMs: 10_000, headersMs: 20_000, settingsMs: 10_000 };
/** A message of 16 MiB over a slow line. */
const REQUEST_MS = 120_000;
/** Idle connections are kept a little longer than common proxies keep theirs. */
const KEEP_ALIVE_MS = 75_000;
const MAX_STREAMS = 1_000;

const unavailable: RequestListener = (_request, response) => {
  response.writeHead(503, { "content-type": "text/plain", "retry-after": "1" });
  response.end("starting\n");
};

const route = (
  http1: Server,
  sessions: Sessions,
  sockets: Set<Socket>,
  { clock, firstBytesMs }: { readonly clock: Clock; readonly firstBytesMs: number },
): void => {
  const [own] = http1.listeners("connection") as ((socket: Socket) => void)[];
  if (own === undefined) throw new Error("node:http has no connection listener of its own");
  http1.removeAllListeners("connection");
  http1.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    sniff(socket, clock, firstBytesMs, (protocol) => {
      if (protocol === "http2") {
        sessions.open(socket);
        return;
      }
      own.call(http1, socket);
      socket.resume();
    });
  });
};

const listen = async (server: Server, host: string, port: number): Promise<AddressInfo> =>
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve(server.address() as AddressInfo);
    });
  });

/** Lets what is under way end, for `drainMs` at most. */
const drain = async (
  http1: Server,
  sessions: Sessions,
  sockets: ReadonlySet<Socket>,
  { clock, drainMs }: ListenerOptions,
): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    http1.close(() => resolve());
  });
  http1.closeIdleConnections();
  const cancel = clock.after(drainMs, () => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all([closed, sessions.close()]);
  cancel();
};

export const createListener = (options: ListenerOptions): Listener => {
  const { clock, log, patience = PATIENCE } = options;
  const sockets = new Set<Socket>();
  let handler: RequestListener = unavailable;
  let bound: AddressInfo | undefined;
  let stopped: Promise<void> | undefined;
  const listener: RequestListener = (request, response) => handler(request, response);

  const http1 = createHttp1(
    {
      headersTimeout: patience.headersMs,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.ceil(patience.headersMs / 4),
    },
    listener,
  );
  const http2 = createHttp2({ settings: { maxConcurrentStreams: MAX_STREAMS } });
  // The compatibility API of http2 speaks the same language at run time; its types are its own.
  http2.on("request", listener as unknown as Parameters<Http2Server["on"]>[1]);
  const sessions = keepSessions(http2, { clock, log, settingsMs: patience.settingsMs });
  route(http1, sessions, sockets, { clock, firstBytesMs: patience.firstBytesMs });

  return {
    start: async () => {
      bound = await listen(http1, options.host, options.port);
      http1.on("error", (cause) => log.error({ err: cause }, "a listener failed"));
    },
    stop: async () => {
      stopped ??=
        bound === undefined ? Promise.resolve() : drain(http1, sessions, sockets, options);
      await stopped;
    },
    address: () => {
      if (bound === undefined) throw new Error("the listener has not started");
      return { host: options.host, port: bound.port };
    },
    serve: (next) => {
      handler = next;
    },
  };
};
