import type { Clock } from "../../src/runtime/clock.ts";

/**
 * Lets attempts begin a few at a time, in their order. Those that begin together share the
 * processors and so end together: then no child has anything to do until their endings are committed
 * and the next attempts are there. With 16 slots on 2 cores that was an eighth of the time. In turn,
 * endings are reported while others run, and a few children serve them all.
 *
 * An attempt counts until its child has made the next isolate, but not for long: who waits for
 * something, or computes, lets the next one in, so that all slots are used.
 */
export type Turnstile = {
  /** Resolves with what says that its child rests. @throws what the signal is aborted with */
  enter(signal: AbortSignal): Promise<() => void>;
};

/** Most attempts are over by then, their child's next isolate included. */
export const GIVES_WAY_MS = 10;

export const createTurnstile = (clock: Clock, most: number): Turnstile => {
  /** In the order in which they came. */
  const waiting = new Set<() => void>();
  let within = 0;

  const admit = (): (() => void) => {
    within += 1;
    let out = false;
    const leave = (): void => {
      if (out) return;
      out = true;
      cancel();
      within -= 1;
      const [next] = waiting;
      next?.();
    };
    const cancel = clock.after(GIVES_WAY_MS, leave);
    return leave;
  };

  const wait = async (signal: AbortSignal): Promise<() => void> =>
    await new Promise((resolve, reject) => {
      const end = (): void => {
        waiting.delete(turn);
        signal.removeEventListener("abort", forget);
      };
      const turn = (): void => {
        end();
        resolve(admit());
      };
      const forget = (): void => {
        end();
        reject(signal.reason as Error);
      };
      signal.throwIfAborted();
      signal.addEventListener("abort", forget, { once: true });
      waiting.add(turn);
    });

  return {
    enter: async (signal) => (within < most ? admit() : await wait(signal)),
  };
};
