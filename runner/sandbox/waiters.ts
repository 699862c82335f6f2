import type { Clock } from "../../src/runtime/clock.ts";
import type { ChildProcessEnd } from "./child-process.ts";

/** Somebody who waits for a child. */
export type Waiter = {
  readonly organizationId: string;
  /** When he came, by the monotonic clock. */
  readonly since: number;
  /** Either is called once, and takes him out. */
  readonly found: (child: ChildProcessEnd) => void;
  readonly failed: (cause: Error) => void;
};

/** Those who wait for a child, in the order in which they came. */
export type Waiters = {
  readonly size: number;
  /** Whoever leaves on the way is not met any more. */
  all(): Iterable<Waiter>;
  /** @throws what the signal is aborted with */
  wait(organizationId: string, signal: AbortSignal, come: () => void): Promise<ChildProcessEnd>;
  /** Nobody will get one. */
  refuse(cause: Error): void;
};

export const createWaiters = (clock: Clock): Waiters => {
  const waiting = new Set<Waiter>();

  return {
    get size() {
      return waiting.size;
    },
    all: () => waiting.values(),
    wait: async (organizationId, signal, come) =>
      await new Promise((resolve, reject) => {
        const leave = (): void => {
          waiting.delete(waiter);
          signal.removeEventListener("abort", forget);
        };
        const forget = (): void => {
          leave();
          reject(signal.reason as Error);
        };
        const waiter: Waiter = {
          organizationId,
          since: clock.monotonic(),
          found: (child) => {
            leave();
            resolve(child);
          },
          failed: (cause) => {
            leave();
            reject(cause);
          },
        };
        signal.throwIfAborted();
        signal.addEventListener("abort", forget, { once: true });
        waiting.add(waiter);
        come();
      }),
    refuse: (cause) => {
      for (const waiter of [...waiting]) waiter.failed(cause);
    },
  };
};
