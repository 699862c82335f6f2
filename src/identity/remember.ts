import { LRUCache } from "lru-cache";

import type { Clock } from "../runtime/clock.ts";

/**
 * Reads things by key and keeps each for a while, so that a busy caller costs no read per call.
 * Callers that come at once share one read. What is forgotten is read anew by the next caller, also
 * if a read of it is under way: that one may have seen the old state.
 */
export type Memory<Value> = {
  /** @throws what the read throws; a failed read is not kept */
  get(key: string): Promise<Value>;
  forget(key: string): void;
  clear(): void;
};

export type MemoryOptions<Value> = {
  readonly clock: Clock;
  /** How long a value may be told without a new look. */
  readonly keepMs: number;
  /** How many are kept; the least used go first. */
  readonly max: number;
  readonly read: (key: string) => Promise<Value>;
};

type Entry<Value> = { readonly readAt: number; readonly value: Promise<Value> };

export const remember = <Value>(options: MemoryOptions<Value>): Memory<Value> => {
  const { clock, keepMs, max, read } = options;
  const entries = new LRUCache<string, Entry<Value>>({ max });
  return {
    get: async (key) => {
      const known = entries.get(key);
      if (known !== undefined && clock.monotonic() - known.readAt < keepMs)
        return await known.value;
      const entry = { readAt: clock.monotonic(), value: read(key) };
      entries.set(key, entry);
      try {
        return await entry.value;
      } catch (cause) {
        if (entries.peek(key) === entry) entries.delete(key);
        throw cause;
      }
    },
    forget: (key) => {
      entries.delete(key);
    },
    clear: () => {
      entries.clear();
    },
  };
};
