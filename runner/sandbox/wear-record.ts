import type { Clock } from "../../src/runtime/clock.ts";
import type { ReadUsage } from "./proc.ts";
import { ageLimitOf, type WearLimits, wornBy } from "./wear.ts";

/** Keeps count of what one child has behind it. */
export type WearRecord = {
  /** `attempts`: how many it has served. `cleanUpMs`: what it took after the last one. */
  isWorn(attempts: number, cleanUpMs: number): boolean;
};

/** Memory is read after the first attempt, and after every so many. */
const READ_MEMORY_EVERY = 16;

/** Begins a record for the child with this process id, which is starting now. */
export const createWearRecords = (
  clock: Clock,
  readUsage: ReadUsage,
  limits: WearLimits,
  worn: (by: keyof WearLimits) => void,
): ((pid: number) => WearRecord) => {
  let started = 0;

  return (pid) => {
    started += 1;
    const own = { ...limits, ageMs: ageLimitOf(started, limits) };
    const startedAt = clock.monotonic();
    let firstRss: number | null = null;
    let growthBytes = 0;
    return {
      isWorn: (attempts, cleanUpMs) => {
        if (attempts % READ_MEMORY_EVERY === 1) {
          const rss = readUsage(pid)?.rssBytes ?? 0;
          firstRss ??= rss;
          growthBytes = rss - firstRss;
        }
        const ageMs = clock.monotonic() - startedAt;
        const by = wornBy({ attempts, ageMs, growthBytes, cleanUpMs }, own);
        if (by !== null) worn(by);
        return by !== null;
      },
    };
  };
};
