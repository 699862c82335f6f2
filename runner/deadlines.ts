import type { Clock } from "../src/runtime/clock.ts";

/**
 * Deadlines of work that runs in this process. One timer for all of them, and only while there are
 * some: a timer per job would cost more than a small job does.
 */
export type Deadlines = {
  /** Calls `late` up to 50 ms after `ms` have passed, unless it is taken back. */
  set(ms: number, late: () => void): () => void;
};

const EVERY_MS = 50;

export const createDeadlines = (clock: Clock): Deadlines => {
  const entries = new Set<{ readonly at: number; readonly late: () => void }>();
  let ticking = false;

  const tick = (): void => {
    const now = clock.monotonic();
    try {
      for (const entry of entries) {
        if (entry.at > now) continue;
        entries.delete(entry);
        entry.late();
      }
    } finally {
      // One that throws keeps none of the others from their time.
      ticking = entries.size > 0;
      if (ticking) clock.after(EVERY_MS, tick);
    }
  };

  return {
    set: (ms, late) => {
      const entry = { at: clock.monotonic() + ms, late };
      entries.add(entry);
      if (!ticking) {
        ticking = true;
        clock.after(EVERY_MS, tick);
      }
      return () => {
        entries.delete(entry);
      };
    },
  };
};
