import type { Millis } from "../jobs/job.ts";

export const RECENT_MS = 5 * 60_000;
const SLICES = 30;
const SLICE_MS = RECENT_MS / SLICES;

/** Jobs that ended, and those of them that failed. */
export type Endings = { readonly ended: number; readonly failed: number };

export const NO_ENDINGS: Endings = { ended: 0, failed: 0 };

/**
 * Counts the endings of the last five minutes, in slices of ten seconds: the oldest slice goes as a
 * whole. A new owner begins to count anew.
 */
export class RecentEndings {
  readonly #ended = new Uint32Array(SLICES);
  readonly #failed = new Uint32Array(SLICES);
  /** The newest slice. */
  #newest = 0;

  add(at: Millis, failed: boolean): void {
    this.#advance(at);
    const index = this.#newest % SLICES;
    this.#ended[index] = (this.#ended[index] ?? 0) + 1;
    if (failed) this.#failed[index] = (this.#failed[index] ?? 0) + 1;
  }

  within(now: Millis): Endings {
    this.#advance(now);
    return { ended: sum(this.#ended), failed: sum(this.#failed) };
  }

  /** A clock that goes back leaves the newest slice what it is. */
  #advance(at: Millis): void {
    const slice = Math.floor(at / SLICE_MS);
    const from = Math.max(this.#newest + 1, slice - SLICES + 1);
    for (let next = from; next <= slice; next += 1) {
      this.#ended[next % SLICES] = 0;
      this.#failed[next % SLICES] = 0;
    }
    this.#newest = Math.max(this.#newest, slice);
  }
}

const sum = (counts: Uint32Array): number => counts.reduce((all, count) => all + count, 0);
