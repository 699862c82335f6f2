import { Code, ConnectError } from "@connectrpc/connect";

import { type Clock, sleep } from "../runtime/clock.ts";
import { reasonOf } from "./api-failure.ts";

/** How long a command that waits for a job keeps trying to get back to the server. */
const GIVE_UP_AFTER_MS = 120_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** Reasons with which a server that is going, or has just come, sends its clients away. */
const PASSING: ReadonlySet<string> = new Set(["SHUTTING_DOWN", "SHARD_UNAVAILABLE"]);

const BROKEN_WAY: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.Aborted,
  Code.Internal,
  Code.Unknown,
  Code.Canceled,
  Code.DeadlineExceeded,
]);

/** True if the same call may well succeed a little later: the connection broke, or the server goes. */
export const isPassing = (error: ConnectError): boolean => {
  const reason = reasonOf(error);
  return reason === null ? BROKEN_WAY.has(error.code) : PASSING.has(reason);
};

export type Patience = {
  /** Forgets earlier failures: something came through. */
  succeeded(): void;
  /** Pauses before the next try. @throws the error itself when it will not pass, or after two minutes. */
  failed(caught: unknown): Promise<void>;
};

/** `onPause` is told at the first failure in a row. */
export const createPatience = (
  clock: Clock,
  signal: AbortSignal,
  onPause: (error: ConnectError) => void,
): Patience => {
  let failures = 0;
  let lastSuccess = clock.monotonic();
  return {
    succeeded: () => {
      failures = 0;
      lastSuccess = clock.monotonic();
    },
    failed: async (caught) => {
      signal.throwIfAborted();
      if (!(caught instanceof ConnectError) || !isPassing(caught)) throw caught;
      if (clock.monotonic() - lastSuccess > GIVE_UP_AFTER_MS) throw caught;
      if (failures === 0) onPause(caught);
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      failures += 1;
      await sleep(clock, pause, signal);
    },
  };
};
