import { LRUCache } from "lru-cache";

import type { Millis } from "../jobs/job.ts";

/** After the first silence. Each that follows doubles it. */
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** Those that were silent last are known. */
const MOST_KNOWN = 10_000;

type Silence = { readonly times: number; readonly until: Millis };

/**
 * Receivers that do not answer, by any key, and until when each is left alone. Only memory: another
 * server finds out by itself.
 */
export class Silences {
  readonly #known = new LRUCache<string, Silence>({ max: MOST_KNOWN });

  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** From when on one more may be sent there. */
  endOf(key: string): Millis {
    return this.#known.get(key)?.until ?? Number.NEGATIVE_INFINITY;
  }

  /** What was on its way together with another that got no answer is one silence. */
  silent(key: string, now: Millis): void {
    const { times, until } = this.#known.get(key) ?? { times: 0, until: now };
    if (now < until) return;
    const ms = Math.min(FIRST_MS * 2 ** times, LONGEST_MS);
    this.#known.set(key, { times: times + 1, until: now + ms });
  }

  heard(key: string): void {
    this.#known.delete(key);
  }

  /** Somebody wants to know now. */
  askAgain(key: string): void {
    const silence = this.#known.get(key);
    if (silence !== undefined) {
      this.#known.set(key, { ...silence, until: Number.NEGATIVE_INFINITY });
    }
  }
}
