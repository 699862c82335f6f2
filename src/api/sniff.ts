import type { Socket } from "node:net";

import type { Clock } from "../runtime/clock.ts";

/** What an HTTP/2 client says first (RFC 9113, 3.4); no HTTP/1.1 method begins so. */
const PREFACE = "PRI";

/** Null: more bytes are needed to tell. */
export const protocolOf = (start: Uint8Array): "http1" | "http2" | null => {
  const text = Buffer.from(start.subarray(0, PREFACE.length)).toString("latin1");
  if (text === PREFACE) return "http2";
  return PREFACE.startsWith(text) ? null : "http1";
};

/**
 * Waits for the first bytes of a connection, puts them back, and tells what they begin. The socket
 * is handed over paused: http2 reads what was put back by itself, http1 wants it to flow.
 * A connection that does not say enough within `patienceMs` is closed.
 */
export const sniff = (
  socket: Socket,
  clock: Clock,
  patienceMs: number,
  found: (protocol: "http1" | "http2") => void,
): void => {
  const seen: Buffer[] = [];
  const cancel = clock.after(patienceMs, () => socket.destroy());
  const forget = (): void => {
    cancel();
    socket.off("data", look).off("close", forget);
  };
  // A reset before the first byte concerns nobody: 'close' follows and cleans up.
  const ignore = (): void => {};
  const look = (chunk: Buffer): void => {
    seen.push(chunk);
    const start = Buffer.concat(seen);
    const protocol = protocolOf(start);
    if (protocol === null) return;
    forget();
    socket.pause();
    socket.off("error", ignore);
    socket.unshift(start);
    found(protocol);
  };
  socket.on("error", ignore).on("close", forget).on("data", look);
};
