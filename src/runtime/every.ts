import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

export type Repetition = {
  start(): void;
  /** Resolves when the run under way has ended. */
  stop(): Promise<void>;
};

/** Runs something again and again, `ms` after each end. A failure is logged and tried again. */
export const every = (options: {
  readonly clock: Clock;
  readonly log: Log;
  readonly name: string;
  readonly ms: number;
  readonly run: () => Promise<void>;
}): Repetition => {
  const { clock, log, name, ms, run } = options;
  let stopped = false;
  let cancel = (): void => {};
  let underWay = Promise.resolve();

  const once = async (): Promise<void> => {
    try {
      await run();
    } catch (error) {
      log.warn({ error }, `${name} failed; it is tried again`);
    }
  };
  const next = (): void => {
    if (stopped) return;
    cancel = clock.after(ms, () => {
      underWay = once().then(next);
    });
  };

  return {
    start: next,
    stop: async () => {
      stopped = true;
      cancel();
      await underWay;
    },
  };
};
