import type { Http2Server, ServerHttp2Session } from "node:http2";

import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

/**
 * The http2 sessions of a listener. Node keeps none of them alive: each is pinged, so that dead
 * peers are found out, and asked to go (GOAWAY) at a maximum age, so that clients spread over
 * servers again.
 */
export type Sessions = {
  /** GOAWAY to all; resolves when the last one is gone. */
  close(): Promise<void>;
  destroy(): void;
};

const PING_EVERY_MS = 30_000;
const PING_ANSWER_MS = 15_000;
/** A peer that sends the preface and then nothing. */
const SETTINGS_MS = 10_000;
const MAX_AGE_MS = 30 * 60_000;

/** Spreads the ages of sessions without chance: each gets up to 20 % more than the one before. */
const spread = (count: number): number => 1 + (count % 11) / 50;

const watch = (session: ServerHttp2Session, clock: Clock, maxAgeMs: number): (() => void) => {
  const timers = new Set<() => void>();
  const later = (ms: number, run: () => void): (() => void) => {
    const cancel = clock.after(ms, () => {
      timers.delete(cancel);
      run();
    });
    timers.add(cancel);
    return () => {
      timers.delete(cancel);
      cancel();
    };
  };
  const ping = (): void => {
    const lost = later(PING_ANSWER_MS, () => session.destroy());
    session.ping(() => {
      lost();
      if (session.destroyed) return;
      later(PING_EVERY_MS, ping);
    });
  };
  const settled = later(SETTINGS_MS, () => session.destroy());
  session.once("remoteSettings", () => {
    settled();
    later(PING_EVERY_MS, ping);
  });
  later(maxAgeMs, () => session.close());
  return () => {
    for (const cancel of timers) cancel();
  };
};

export const keepSessions = (
  server: Http2Server,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Sessions => {
  const open = new Set<ServerHttp2Session>();
  let count = 0;
  let closing = false;
  let gone: () => void = () => {};

  server.on("session", (session) => {
    open.add(session);
    count += 1;
    const forget = watch(session, clock, MAX_AGE_MS * spread(count));
    session.on("error", (cause) => log.debug({ err: cause }, "an http2 session broke"));
    session.once("close", () => {
      forget();
      open.delete(session);
      if (open.size === 0) gone();
    });
    if (closing) session.close();
  });
  server.on("sessionError", (cause) => log.debug({ err: cause }, "an http2 session broke"));

  return {
    close: async () => {
      closing = true;
      if (open.size === 0) return;
      const last = new Promise<void>((resolve) => {
        gone = resolve;
      });
      for (const session of open) session.close();
      await last;
    },
    destroy: () => {
      for (const session of open) session.destroy();
    },
  };
};
