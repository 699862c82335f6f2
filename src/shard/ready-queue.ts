import type { ActiveJob } from "./active-job.ts";
import { Fifo } from "./fifo.ts";

/** Compacting for fewer dead entries than this would cost more than it frees. */
const TOLERATED_STALE = 64;

/**
 * QUEUED jobs, by priority and then first in, first out. A job that leaves from the middle (it was
 * cancelled) only forgets its queue; its entry is stale and goes when it comes to the head, or when
 * the stale ones are more than the living.
 */
export class ReadyQueue {
  readonly #levels = new Map<number, Fifo<ActiveJob>>();
  /** Priorities in use, highest first. */
  readonly #priorities: number[] = [];
  #size = 0;
  #stale = 0;

  get size(): number {
    return this.#size;
  }

  push(job: ActiveJob): void {
    this.#enter(job).push(job);
  }

  /** Before all others of its priority. */
  putBack(job: ActiveJob): void {
    this.#enter(job).putBack(job);
  }

  /** The next job, which stays. */
  peek(): ActiveJob | undefined {
    for (let priority = this.#priorities[0]; priority !== undefined;) {
      const level = this.#levels.get(priority);
      const job = level?.peek();
      if (level !== undefined && job !== undefined) {
        if (job.queue === this) return job;
        level.shift();
        this.#stale -= 1;
        continue;
      }
      this.#levels.delete(priority);
      this.#priorities.shift();
      priority = this.#priorities[0];
    }
    return undefined;
  }

  /** When the job of any priority that has waited longest became QUEUED; null if there is none. */
  oldestQueuedAt(): number | null {
    let oldest: number | null = null;
    for (const level of this.#levels.values()) {
      let job = level.peek();
      for (; job !== undefined && job.queue !== this; job = level.peek()) {
        level.shift();
        this.#stale -= 1;
      }
      const at = job?.row.queuedAt ?? null;
      if (at !== null) oldest = Math.min(oldest ?? at, at);
    }
    return oldest;
  }

  /** The next job, taken out. */
  shift(): ActiveJob | undefined {
    const job = this.peek();
    if (job === undefined) return undefined;
    this.#levels.get(job.row.priority)?.shift();
    job.queue = null;
    this.#size -= 1;
    return job;
  }

  /** Takes out a job from wherever it is. */
  remove(job: ActiveJob): void {
    if (job.queue !== this) return;
    job.queue = null;
    this.#size -= 1;
    this.#stale += 1;
    if (this.#stale > this.#size + TOLERATED_STALE) this.#compact();
  }

  #enter(job: ActiveJob): Fifo<ActiveJob> {
    job.queue = this;
    this.#size += 1;
    const { priority } = job.row;
    let level = this.#levels.get(priority);
    if (level === undefined) {
      level = new Fifo();
      this.#levels.set(priority, level);
      this.#priorities.push(priority);
      this.#priorities.sort((a, b) => b - a);
    }
    return level;
  }

  #compact(): void {
    for (const level of this.#levels.values()) level.filter((job) => job.queue === this);
    this.#stale = 0;
  }
}
