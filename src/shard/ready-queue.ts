import type { ActiveJob } from "./active-job.ts";
import { Heap } from "./heap.ts";

const sitsBefore = (a: ActiveJob, b: ActiveJob): boolean => a.seat < b.seat;

/** Above all priorities. */
const AWAITED = Number.POSITIVE_INFINITY;

/** A child for which its parent waits goes before all others: the parent left its place to it. */
const rankOf = (job: ActiveJob): number =>
  job.organization.families.waiterOf(job) === undefined ? job.row.priority : AWAITED;

/** The order within an organization: rank, then first in, first out. */
export const goesBefore = (a: ActiveJob, b: ActiveJob): boolean => {
  const [one, other] = [rankOf(a), rankOf(b)];
  return one === other ? a.seat < b.seat : one > other;
};

/**
 * QUEUED jobs, by rank and then by their seats. A heap for each rank in use, because the
 * one that has waited longest is asked for too. A job that is younger than all others, as nearly
 * every one is, enters in O(1).
 */
export class ReadyQueue {
  readonly #levels = new Map<number, Heap<ActiveJob>>();
  /** Ranks in use, highest first. */
  readonly #ranks: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(job: ActiveJob): void {
    job.queue = this;
    this.#size += 1;
    const rank = rankOf(job);
    let level = this.#levels.get(rank);
    if (level === undefined) {
      level = new Heap(sitsBefore);
      this.#levels.set(rank, level);
      this.#ranks.push(rank);
      this.#ranks.sort((a, b) => b - a);
    }
    level.push(job);
  }

  /** The next job, which stays. */
  peek(): ActiveJob | undefined {
    const [highest] = this.#ranks;
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
    const rank = rankOf(job);
    const level = this.#levels.get(rank);
    level?.remove(job);
    if (level?.size !== 0) return;
    this.#levels.delete(rank);
    this.#ranks.splice(this.#ranks.indexOf(rank), 1);
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
