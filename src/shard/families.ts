import type { JobId } from "../jobs/ids.ts";
import type { ActiveJob } from "./active-job.ts";

/**
 * The parents and children among the active jobs of one organization (row E4). A running job that
 * waits for children rests: it keeps its concurrency key and counts towards no other limit. The slot
 * and the place that it leaves are kept for jobs that others wait for, and are its own again when it
 * goes on: so nobody runs more by waiting, and however deep and many families are, some job that
 * waits for nothing can run. Who rests is known to nobody but the owner: after a reload every attempt
 * counts until it asks again.
 */
export class Families {
  readonly #children = new Map<JobId, Set<ActiveJob>>();
  /** Resting attempts, with the children that each waits for. */
  readonly #waits = new Map<ActiveJob, Set<JobId>>();
  readonly #waiters = new Map<JobId, ActiveJob>();
  /** Running jobs for which their parents wait. */
  readonly #awaited = new Set<ActiveJob>();

  join(job: ActiveJob): void {
    const { parentId } = job.row;
    if (parentId === "") return;
    const siblings = this.#children.get(parentId);
    if (siblings === undefined) this.#children.set(parentId, new Set([job]));
    else siblings.add(job);
  }

  part(job: ActiveJob): void {
    const { parentId } = job.row;
    if (parentId === "") return;
    const siblings = this.#children.get(parentId);
    siblings?.delete(job);
    if (siblings?.size === 0) this.#children.delete(parentId);
  }

  /** That have not ended. */
  childrenOf(id: JobId): readonly ActiveJob[] {
    return [...(this.#children.get(id) ?? [])];
  }

  /** How many attempts rest. */
  get resting(): number {
    return this.#waits.size;
  }

  /** How many places attempts have left that no child of theirs has taken. */
  get keptFree(): number {
    return Math.max(0, this.#waits.size - this.#awaited.size);
  }

  /** A job runs, or does not any more. */
  runs(job: ActiveJob, does: boolean): void {
    if (!does) this.#awaited.delete(job);
    else if (this.waiterOf(job) !== undefined) this.#awaited.add(job);
  }

  rests(job: ActiveJob): boolean {
    return this.#waits.has(job);
  }

  /** The attempt that waits for this job. */
  waiterOf({ row: { id, parentId } }: ActiveJob): ActiveJob | undefined {
    return parentId === "" ? undefined : this.#waiters.get(id);
  }

  wait(parent: ActiveJob, child: JobId): void {
    const waits = this.#waits.get(parent);
    if (waits === undefined) this.#waits.set(parent, new Set([child]));
    else waits.add(child);
    this.#waiters.set(child, parent);
  }

  /** That child has ended, or the attempt waits for it no more. */
  stopWaiting(parent: ActiveJob, child: JobId): void {
    const waits = this.#waits.get(parent);
    if (waits?.delete(child) !== true) return;
    this.#waiters.delete(child);
    if (waits.size === 0) this.#waits.delete(parent);
  }

  waitsFor(parent: ActiveJob, child: JobId): boolean {
    return this.#waits.get(parent)?.has(child) ?? false;
  }

  /** The children that an attempt waits for. */
  waitedFor(parent: ActiveJob): readonly JobId[] {
    return [...(this.#waits.get(parent) ?? [])];
  }
}
