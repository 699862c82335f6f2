import type { ActiveJob } from "./active-job.ts";

type Entry = { readonly at: number; readonly job: ActiveJob };

/** Compacting for fewer dead entries than this would cost more than it frees. */
const TOLERATED_STALE = 1_024;

/**
 * When which job is to be looked at: a binary min-heap. A job has one timer; setting it again
 * makes the entry before stale, and stale entries are dropped when they surface or outnumber the
 * living.
 */
export class Timers {
  #heap: Entry[] = [];
  #live = 0;

  /** Entries held, stale ones included. */
  get size(): number {
    return this.#heap.length;
  }

  set(job: ActiveJob, at: number): void {
    if (job.wakeAt === at) return;
    if (job.wakeAt !== Number.POSITIVE_INFINITY) this.#live -= 1;
    job.wakeAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#live += 1;
    this.#heap.push({ at, job });
    this.#rise(this.#heap.length - 1);
    if (this.#heap.length > 2 * this.#live + TOLERATED_STALE) this.#compact();
  }

  /** When the next timer fires; Infinity if there is none. */
  next(): number {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (top.job.wakeAt === top.at) return top.at;
      this.#pop();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Takes out one job whose time has come. */
  due(now: number): ActiveJob | undefined {
    if (this.next() > now) return undefined;
    const job = this.#heap[0]?.job;
    this.#pop();
    if (job !== undefined) {
      job.wakeAt = Number.POSITIVE_INFINITY;
      this.#live -= 1;
    }
    return job;
  }

  #compact(): void {
    // Sorted ascending is a valid heap. A timer that was set, unset and set to the same time
    // again stands there twice: one entry is enough.
    const kept = new Set<ActiveJob>();
    this.#heap = this.#heap
      .filter(({ at, job }) => {
        if (job.wakeAt !== at || kept.has(job)) return false;
        kept.add(job);
        return true;
      })
      .sort((a, b) => a.at - b.at);
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (this.#at(left) < this.#at(least)) least = left;
      if (this.#at(right) < this.#at(least)) least = right;
      if (least === index) return;
      this.#swap(least, index);
      index = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
