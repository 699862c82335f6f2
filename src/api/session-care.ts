import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

import type { Clock } from "../runtime/clock.ts";

const PING_EVERY_MS = 30_000;
const PING_ANSWER_MS = 15_000;

export type Care = {
  readonly session: ServerHttp2Session;
  /** The connection below it; destroying it ends the session whatever the peer does. */
  readonly socket: Socket;
  readonly clock: Clock;
  /** When the peer is asked to go. */
  readonly maxAgeMs: number;
  /** What the peer may take between its preface and its settings. */
  readonly settingsMs: number;
};

/**
 * Pings a session, so that dead peers are found out, and asks the peer to go (GOAWAY) at a maximum
 * age, so that clients spread over servers again. Answers with what ends the care.
 */
export const careFor = ({ session, socket, clock, maxAgeMs, settingsMs }: Care): (() => void) => {
  const timers = new Set<() => void>();
  let ended = false;
  const hangUp = (): void => {
    socket.destroy();
  };
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
    // Over, but the peer keeps its half of the connection: node would wait for it for ever.
    if (session.destroyed) {
      hangUp();
      return;
    }
    const lost = later(PING_ANSWER_MS, hangUp);
    session.ping(() => {
      lost();
      if (!ended) later(PING_EVERY_MS, ping);
    });
  };
  const silent = later(settingsMs, hangUp);
  session.once("remoteSettings", () => {
    silent();
    later(PING_EVERY_MS, ping);
  });
  later(maxAgeMs, () => session.close());
  return () => {
    ended = true;
    for (const cancel of timers) cancel();
  };
};
