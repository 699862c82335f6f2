import type { ActiveJob } from "./active-job.ts";
import { Heap } from "./heap.ts";

const sitsBefore = (a: ActiveJob, b: ActiveJob): boolean => a.seat < b.seat;

/** The order within an organization: priority, then first in, first out. */
export const goesBefore = (a: ActiveJob, b: ActiveJob): boolean =>
  a.row.priority === b.row.priority ? a.seat < b.seat : a.row.priority > b.row.priority;

/**
 * QUEUED jobs, by priority and then by their seats. A heap for each priority in use, because the
 * one that has waited longest is asked for too. A job that is younger than all others, as nearly
 * every one is, enters in O(1).
 */
export class ReadyQueue {
  readonly #levels = new Map<number, Heap<ActiveJob>>();
  /** Priorities in use, highest first. */
  readonly #priorities: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(job: ActiveJob): void {
    job.queue = this;
    this.#size += 1;
    const { priority } = job.row;
    let level = this.#levels.get(priority);
    if (level === undefined) {
      level = new Heap(sitsBefore);
      this.#levels.set(priority, level);
      this.#priorities.push(priority);
      this.#priorities.sort((a, b) => b - a);
    }
    level.push(job);
  }

  /** The next job, which stays. */
  peek(): ActiveJob | undefined {
    const [highest] = this.#priorities;
    return highest === undefined ? undefined : this.#levels.get(highest)?.first();
  }

  /** The next job, taken out. */
  shift(): ActiveJob | undefined {
    const job = this.peek();
    if (job !== undefined) this.remove(job);
    return job;
  }

  /** Takes out a job from wherever it is. */
  remove(job: ActiveJob): void {
    if (job.queue !== this) return;
    job.queue = null;
    this.#size -= 1;
    const { priority } = job.row;
    const level = this.#levels.get(priority);
    level?.remove(job);
    if (level?.size !== 0) return;
    this.#levels.delete(priority);
    this.#priorities.splice(this.#priorities.indexOf(priority), 1);
  }

  /** When the job of any priority that has waited longest became QUEUED; null if there is none. */
  oldestQueuedAt(): number | null {
    let oldest: number | null = null;
    for (const level of this.#levels.values()) {
      const at = level.first()?.row.queuedAt ?? null;
      if (at !== null) oldest = Math.min(oldest ?? at, at);
    }
    return oldest;
  }
}
