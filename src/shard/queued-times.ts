import type { Millis } from "../jobs/job.ts";
import { Heap, type Placed } from "./heap.ts";

/** Times are kept to a tenth of a second: a long queue needs an entry for each tenth, not for each job. */
const GRAIN_MS = 100;

type Slice = Placed & { readonly at: Millis; count: number };

/**
 * Since when jobs are queued, of whatever priority, and which of these times is the oldest. A job that
 * is younger than all others, as nearly every one is, enters in O(1); the last of a tenth of a second
 * leaves in O(log n).
 */
export class QueuedTimes {
  readonly #slices = new Map<Millis, Slice>();
  readonly #byAge = new Heap<Slice>((a, b) => a.at < b.at);

  /** Entries held. */
  get size(): number {
    return this.#slices.size;
  }

  enter(queuedAt: Millis): void {
    const at = toGrain(queuedAt);
    const known = this.#slices.get(at);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const slice = { at, count: 1, position: -1 };
    this.#slices.set(at, slice);
    this.#byAge.push(slice);
  }

  /** One that entered with this time is queued no more. */
  leave(queuedAt: Millis): void {
    const slice = this.#slices.get(toGrain(queuedAt));
    if (slice === undefined) return;
    slice.count -= 1;
    if (slice.count > 0) return;
    this.#slices.delete(slice.at);
    this.#byAge.remove(slice);
  }

  /**
   * As `oldest`, without what entered `other` as well. Looks at every slice where the oldest one is
   * only theirs.
   */
  oldestBeside(other: QueuedTimes): Millis | null {
    const isTheirs = ({ at, count }: Slice): boolean => other.#slices.get(at)?.count === count;
    const first = this.#byAge.first();
    if (first === undefined || !isTheirs(first)) return first?.at ?? null;
    let oldest: Millis | null = null;
    for (const slice of this.#slices.values()) {
      if ((oldest === null || slice.at < oldest) && !isTheirs(slice)) oldest = slice.at;
    }
    return oldest;
  }

  /** Rounded down to a tenth of a second; null if nothing is queued. */
  oldest(): Millis | null {
    return this.#byAge.first()?.at ?? null;
  }
}

const toGrain = (at: Millis): Millis => Math.floor(at / GRAIN_MS) * GRAIN_MS;
