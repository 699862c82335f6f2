import type { Clock } from "../../src/runtime/clock.ts";

type Alarm = { readonly at: number; readonly run: () => void };

/** A clock that stands still until a test moves it. */
export type ManualClock = Clock & {
  /** Moves on, and runs what becomes due on the way, in order. */
  advance(ms: number): void;
  /** Resolves when somebody has set an alarm for `ms` from now. */
  waitedFor(ms: number): Promise<void>;
};

export const createManualClock = (start = 1_700_000_000_000): ManualClock => {
  let now = start;
  const alarms = new Set<Alarm>();
  const watchers = new Set<{ readonly ms: number; readonly resolve: () => void }>();
  return {
    now: () => now,
    monotonic: () => now,
    after: (ms, run) => {
      const alarm = { at: now + ms, run };
      alarms.add(alarm);
      for (const watcher of [...watchers].filter((one) => one.ms === ms)) {
        watchers.delete(watcher);
        watcher.resolve();
      }
      return () => {
        alarms.delete(alarm);
      };
    },
    advance: (ms) => {
      const until = now + ms;
      for (;;) {
        const [next] = [...alarms].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        alarms.delete(next);
        now = Math.max(now, next.at);
        next.run();
      }
      now = until;
    },
    waitedFor: async (ms) => {
      if ([...alarms].some(({ at }) => at === now + ms)) return;
      await new Promise<void>((resolve) => watchers.add({ ms, resolve }));
    },
  };
};
