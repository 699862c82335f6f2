import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { careFor } from "./session-care.ts";

/** The http2 sessions of a listener: node itself neither keeps them alive nor ends them. */
export type Sessions = {
  /** A connection that begins as HTTP/2 does. */
  open(socket: Socket): void;
  /** GOAWAY to all; resolves when the last one is gone, which its peer may put off. */
  close(): Promise<void>;
};

export type SessionOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** What a peer may take between its preface and its settings. */
  readonly settingsMs: number;
};

const MAX_AGE_MS = 30 * 60_000;

/** Spreads the ages of sessions without chance: over 20 %, in eleven steps. */
const spread = (count: number): number => 1 + (count % 11) / 50;

export const keepSessions = (
  server: Http2Server,
  { clock, log, settingsMs }: SessionOptions,
): Sessions => {
  const open = new Set<ServerHttp2Session>();
  let count = 0;
  let closing = false;
  let gone: () => void = () => {};

  const broke = (cause: unknown): void => {
    log.debug({ err: cause }, "an http2 session broke");
  };
  const keep = (session: ServerHttp2Session, socket: Socket): void => {
    open.add(session);
    count += 1;
    const maxAgeMs = MAX_AGE_MS * spread(count);
    const forget = careFor({ session, socket, clock, maxAgeMs, settingsMs });
    session.on("error", broke);
    session.once("close", () => {
      forget();
      open.delete(session);
      if (open.size === 0) gone();
    });
    if (closing) session.close();
  };
  server.on("sessionError", broke);

  return {
    open: (socket) => {
      // Emitted before `emit` returns: the session that is made is that of this socket.
      const made = (session: ServerHttp2Session): void => keep(session, socket);
      server.once("session", made);
      server.emit("connection", socket);
      server.off("session", made);
    },
    close: async () => {
      closing = true;
      if (open.size === 0) return;
      const last = new Promise<void>((resolve) => {
        gone = resolve;
      });
      for (const session of open) session.close();
      await last;
    },
  };
};
