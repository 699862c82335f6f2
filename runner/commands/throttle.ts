import type { Readable } from "node:stream";

import type { Clock } from "../../src/runtime/clock.ts";

/**
 * Reads a stream no faster than this process can bear: unthrottled, one command that floods its
 * output took all of the thread that every other job needs. A program that is faster waits at its
 * pipe; nothing is gathered here.
 */
export type Throttle = {
  /** The rest comes as fast as it can: the writers are dead, so there is little of it. */
  release(): void;
};

/** A row costs as much as this many bytes that are dropped unread. */
const ROW_COST = 1_024;
const COST_PER_MS = 100 * 1_024;
/** Short pauses are as long as the timer makes them: only worthwhile ones are taken. */
const PAUSED_FOR = 10;

/** `take` says how many rows it made of a chunk. */
export const readThrottled = (
  clock: Clock,
  stream: Readable,
  take: (chunk: Buffer) => number,
): Throttle => {
  let debt = 0;
  let released = false;
  let cancel = (): void => {};

  stream.on("data", (chunk: Buffer) => {
    debt += chunk.length + take(chunk) * ROW_COST;
    const ms = debt / COST_PER_MS;
    if (released || ms < PAUSED_FOR) return;
    debt = 0;
    stream.pause();
    cancel = clock.after(ms, () => {
      stream.resume();
    });
  });
  return {
    release: () => {
      released = true;
      cancel();
      stream.resume();
    },
  };
};
