import { LRUCache } from "lru-cache";

import type { Clock } from "../runtime/clock.ts";

export type BucketOptions = {
  readonly clock: Clock;
  readonly perSecond: number;
  /** So many at once, after a pause. */
  readonly burst: number;
  /** How many keys are remembered; the least used go first, and begin with a full bucket. */
  readonly max: number;
};

type Bucket = { readonly left: number; readonly at: number };

/** A token bucket for each key: `take` answers with 0, or with the milliseconds to wait before the next. */
export const createBuckets = ({ clock, perSecond, burst, max }: BucketOptions) => {
  const buckets = new LRUCache<string, Bucket>({ max });
  return {
    take: (key: string): number => {
      const now = clock.monotonic();
      const { left, at } = buckets.get(key) ?? { left: burst, at: now };
      const full = Math.min(burst, left + ((now - at) * perSecond) / 1_000);
      buckets.set(key, { left: full < 1 ? full : full - 1, at: now });
      return full < 1 ? ((1 - full) * 1_000) / perSecond : 0;
    },
  };
};
