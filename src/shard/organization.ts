import type { Capability, JobId, OrganizationId } from "../jobs/ids.ts";
import type { OrganizationLimits } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";
import { ReadyQueue } from "./ready-queue.ts";

/** One concurrency key: of the jobs that carry it, one runs. */
export type KeyLock = {
  holder: ActiveJob | null;
  /** Active jobs with this key, the holder included. */
  members: number;
  /** QUEUED jobs that came to the head of their queue while the key was taken. */
  readonly parked: ReadyQueue;
};

/** The active jobs of one organization, its limits, and its queues: one for each capability. */
export class Organization {
  readonly id: OrganizationId;
  limits: OrganizationLimits;
  readonly jobs = new Map<JobId, ActiveJob>();
  readonly queues = new Map<Capability, ReadyQueue>();
  readonly keys = new Map<string, KeyLock>();
  running = 0;

  constructor(limits: OrganizationLimits) {
    this.id = limits.organizationId;
    this.limits = limits;
  }

  /** Active jobs that do not run: what the queue quota counts. */
  get waiting(): number {
    return this.jobs.size - this.running;
  }

  get mayRunMore(): boolean {
    return this.running < this.limits.maxRunning;
  }

  queue(capability: Capability): ReadyQueue {
    let queue = this.queues.get(capability);
    if (queue === undefined) {
      queue = new ReadyQueue();
      this.queues.set(capability, queue);
    }
    return queue;
  }

  /** True while another active job carries this key. */
  hasKey(key: string): boolean {
    return this.keys.has(key);
  }

  join(job: ActiveJob): void {
    const key = job.row.concurrencyKey;
    if (key === "") return;
    const lock = this.keys.get(key);
    if (lock === undefined) {
      this.keys.set(key, { holder: null, members: 1, parked: new ReadyQueue() });
    } else {
      lock.members += 1;
    }
  }

  leave(job: ActiveJob): void {
    const lock = this.keys.get(job.row.concurrencyKey);
    if (lock === undefined) return;
    lock.members -= 1;
    if (lock.members === 0) this.keys.delete(job.row.concurrencyKey);
  }
}
