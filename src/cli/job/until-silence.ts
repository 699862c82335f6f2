import { Code, ConnectError } from "@connectrpc/connect";

import type { Clock } from "../../runtime/clock.ts";

/** Heartbeats come every 15 s: a stream that is silent for longer is dead, though nobody said so. */
const SILENCE_MS = 45_000;

/** One stream, ended by the watchdog when it falls silent. @throws ConnectError */
export const untilSilence = async function* <Message>(
  clock: Clock,
  signal: AbortSignal,
  open: (signal: AbortSignal) => AsyncIterable<Message>,
): AsyncGenerator<Message> {
  const silence = new AbortController();
  const listen = (): (() => void) =>
    clock.after(SILENCE_MS, () => {
      silence.abort(new ConnectError("the server fell silent", Code.Unavailable));
    });
  let stopListening = listen();
  try {
    for await (const message of open(AbortSignal.any([signal, silence.signal]))) {
      stopListening();
      stopListening = listen();
      yield message;
    }
  } finally {
    stopListening();
    // Leaving a `for await` does not end the call itself.
    silence.abort();
  }
};
