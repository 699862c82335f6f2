import type { Clock } from "../../src/runtime/clock.ts";
import { type ReadUsage, TICK_MS, type Usage } from "./proc.ts";

/**
 * Looks at every busy child a few dozen times a second, from outside: a child that loops in native
 * code can neither measure nor stop itself. One timer serves all of them, and only while there are
 * some.
 */
export type Bounds = { readonly wallMs: number; readonly cpuMs: number; readonly rssBytes: number };

export type Violation = "timeout.wall" | "timeout.cpu" | "memory";

export type Guard = {
  /**
   * What was used since the guard was set. The kernel counts CPU in ticks; `claimedMs`, the child's
   * own finer figure, is believed within them.
   */
  usage(claimedMs?: number): { readonly cpuMs: number; readonly peakMemoryBytes: number };
  /** Starts anew with other bounds. */
  rebound(bounds: Bounds): void;
  release(): void;
};

export type Watch = {
  /** Calls `violated` at most once for each set of bounds. */
  guard(pid: number, bounds: Bounds, violated: (what: Violation) => void): Guard;
};

type Entry = {
  readonly pid: number;
  readonly violated: (what: Violation) => void;
  bounds: Bounds;
  deadline: number;
  base: number;
  last: Usage;
  peakRss: number;
  quiet: boolean;
};

const NOTHING: Usage = { cpuMs: 0, rssBytes: 0 };

export const createWatch = (clock: Clock, read: ReadUsage, everyMs: number): Watch => {
  const entries = new Set<Entry>();
  let ticking = false;

  const sample = (entry: Entry): void => {
    const usage = read(entry.pid);
    if (usage === null) return;
    entry.last = usage;
    entry.peakRss = Math.max(entry.peakRss, usage.rssBytes);
  };

  const judge = (entry: Entry, now: number): Violation | null => {
    if (entry.last.cpuMs - entry.base > entry.bounds.cpuMs) return "timeout.cpu";
    if (entry.last.rssBytes > entry.bounds.rssBytes) return "memory";
    if (now >= entry.deadline) return "timeout.wall";
    return null;
  };

  const tick = (): void => {
    const now = clock.monotonic();
    for (const entry of entries) {
      if (entry.quiet) continue;
      sample(entry);
      const violation = judge(entry, now);
      if (violation === null) continue;
      entry.quiet = true;
      entry.violated(violation);
    }
    ticking = entries.size > 0;
    if (ticking) clock.after(everyMs, tick);
  };

  const bind = (entry: Entry, bounds: Bounds): void => {
    entry.bounds = bounds;
    entry.deadline = clock.monotonic() + bounds.wallMs;
    entry.quiet = false;
    sample(entry);
    entry.base = entry.last.cpuMs;
  };

  return {
    guard: (pid, bounds, violated) => {
      const entry: Entry = {
        pid,
        violated,
        bounds,
        deadline: 0,
        base: 0,
        last: NOTHING,
        peakRss: 0,
        quiet: false,
      };
      bind(entry, bounds);
      entries.add(entry);
      if (!ticking) {
        ticking = true;
        clock.after(everyMs, tick);
      }
      return {
        usage: (claimedMs) => {
          sample(entry);
          const counted = entry.last.cpuMs - entry.base;
          return {
            cpuMs:
              claimedMs === undefined || entry.last === NOTHING
                ? (claimedMs ?? counted)
                : Math.min(Math.max(claimedMs, counted - TICK_MS), counted + TICK_MS),
            peakMemoryBytes: entry.peakRss,
          };
        },
        rebound: (next) => {
          bind(entry, next);
        },
        release: () => {
          entries.delete(entry);
        },
      };
    },
  };
};
