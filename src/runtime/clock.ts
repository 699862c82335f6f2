/** The only place that knows what time it is. Everything else is handed a Clock. */
export type Clock = {
  /** Wall clock, epoch milliseconds. */
  now(): number;
  /** Milliseconds that never jump. */
  monotonic(): number;
  /** Calls `run` once after `ms`; the answer takes it back. */
  after(ms: number, run: () => void): () => void;
};

/** Longer delays would fire at once: setTimeout counts in 32 bits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), LONGEST_TIMEOUT_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after `ms`, or rejects with the signal's reason. */
export const sleep = async (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  await new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
