import type { BreakerRow } from "../jobs/breaker.ts";
import type { Capability, JobId, OrganizationId } from "../jobs/ids.ts";
import type { OrganizationLimits } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";
import { Census } from "./census.ts";
import type { Contender, Line } from "./contender.ts";
import { Contenders } from "./contenders.ts";
import { Families } from "./families.ts";
import { Hooks } from "./hooks.ts";
import { KeyLock, type Lanes } from "./key-lock.ts";
import { Lane } from "./lane.ts";
import { goesBefore } from "./ready-queue.ts";
import type { TypeLoad } from "./type-load.ts";
import { TypeLoads } from "./type-loads.ts";

/**
 * The active jobs of one organization, its limits, and where its jobs wait: in a lane for each
 * capability and type, with one candidate for each concurrency key.
 */
export class Organization implements Lanes {
  readonly id: OrganizationId;
  #limits: OrganizationLimits;
  readonly jobs = new Map<JobId, ActiveJob>();
  readonly hooks: Hooks;
  running = 0;
  queued = 0;
  readonly census = new Census();
  /** Of those of its jobs that came of hooks. */
  readonly ofHooks = new Census();
  readonly families = new Families();
  readonly #keys = new Map<string, KeyLock>();
  readonly #types: TypeLoads;
  readonly #lanes = new Map<Capability, Map<string, Lane>>();
  readonly #contenders: Contenders;

  constructor(limits: OrganizationLimits, lineOf: (capability: Capability) => Line) {
    this.id = limits.organizationId;
    this.#limits = limits;
    this.#contenders = new Contenders(this, lineOf);
    this.hooks = new Hooks(limits.hooks);
    this.#types = new TypeLoads(limits.types);
    for (const breaker of limits.breakers) this.setBreaker(breaker);
  }

  get limits(): OrganizationLimits {
    return this.#limits;
  }

  /** Counts at once. Breakers and hooks are not limits: they stay as they are. */
  configure(limits: OrganizationLimits): void {
    this.#limits = limits;
    for (const type of this.#types.limit(limits.types)) this.#refreshType(type);
    this.#contenders.refresh();
  }

  /** Active jobs that do not run: what the queue quota counts. */
  get waiting(): number {
    return this.jobs.size - this.running - this.families.resting;
  }

  /** Whether a job may start for which nobody waits. */
  get mayRunMore(): boolean {
    return this.running + this.families.keptFree < this.#limits.maxRunning;
  }

  /** True while another active job carries this key. */
  hasKey(key: string): boolean {
    return this.#keys.has(key);
  }

  /** The job that runs with this key. */
  holderOf(key: string): ActiveJob | null {
    return this.#keys.get(key)?.holder ?? null;
  }

  contender(capability: Capability): Contender | undefined {
    return this.#contenders.find(capability);
  }

  lanes(): readonly Lane[] {
    return [...this.#lanes.values()].flatMap((byType) => [...byType.values()]);
  }

  /**
   * The job that goes first of those that could start, among the open capabilities in whose lines it
   * is this organization's turn. In another line its job would go before those who have had less.
   */
  next(open: ReadonlySet<Capability>): ActiveJob | null {
    let best: ActiveJob | null = null;
    for (const contender of this.#contenders) {
      const job = contender.lanes.first()?.queue.peek();
      if (job === undefined || !open.has(job.row.capability) || !contender.isFirst) continue;
      if (best === null || goesBefore(job, best)) best = job;
    }
    return best;
  }

  /**
   * A job that could start and for which its parent waits, of any capability that is not `full`. Whose
   * turn it is in the line does not matter: it takes what its parent left.
   */
  nextAwaited(full: ReadonlySet<Capability>): ActiveJob | null {
    const { maxRunning } = this.#limits;
    if (this.families.resting === 0 || this.running >= maxRunning) return null;
    for (const contender of this.#contenders) {
      const job = contender.lanes.first()?.queue.peek();
      if (job === undefined || full.has(job.row.capability)) continue;
      if (this.families.waiterOf(job) !== undefined) return job;
    }
    return null;
  }

  /** A running job waits for a child of its own. */
  rest(parent: ActiveJob, child: ActiveJob): void {
    const rested = this.families.rests(parent);
    this.#contenders.recount(() => {
      this.#rerank(child, () => this.families.wait(parent, child.row.id));
      if (!rested) this.#countRunning(parent, -1);
    });
  }

  /** It waits for that child no more. */
  wake(parent: ActiveJob, childId: JobId): void {
    if (!this.families.waitsFor(parent, childId)) return;
    this.#contenders.recount(() => {
      this.#rerank(this.jobs.get(childId), () => this.families.stopWaiting(parent, childId));
      if (!this.families.rests(parent)) this.#countRunning(parent, 1);
    });
  }

  /** Whether a job is waited for decides how it stands: it must stand nowhere while that changes. */
  #rerank(job: ActiveJob | undefined, change: () => void): void {
    const state = job?.row.state;
    if (job !== undefined && state === "QUEUED") this.dequeue(job);
    if (job !== undefined) this.families.runs(job, false);
    change();
    if (job !== undefined && state === "QUEUED") this.enqueue(job);
    if (job !== undefined) this.families.runs(job, state === "RUNNING");
  }

  /** An active job joins, in whatever state. */
  join(job: ActiveJob): void {
    this.jobs.set(job.row.id, job);
    this.families.join(job);
    const key = job.row.concurrencyKey;
    if (key === "") return;
    let lock = this.#keys.get(key);
    if (lock === undefined) {
      lock = new KeyLock();
      this.#keys.set(key, lock);
    }
    lock.members += 1;
  }

  /** A job that has ended, and waits and runs no more, goes. */
  part(job: ActiveJob): void {
    this.jobs.delete(job.row.id);
    this.families.part(job);
    const lock = this.#keys.get(job.row.concurrencyKey);
    if (lock === undefined) return;
    lock.members -= 1;
    if (lock.members === 0) this.#keys.delete(job.row.concurrencyKey);
  }

  /** A job has become QUEUED. */
  enqueue(job: ActiveJob): void {
    this.queued += 1;
    const lock = this.#keys.get(job.row.concurrencyKey);
    if (lock === undefined) this.line(job);
    else lock.enter(job, this);
  }

  /** A job is not QUEUED any more. */
  dequeue(job: ActiveJob): void {
    this.queued -= 1;
    const lock = this.#keys.get(job.row.concurrencyKey);
    if (lock === undefined) this.unline(job);
    else lock.leave(job, this);
  }

  /** A job that does not wait any more runs on a slot. */
  started(job: ActiveJob): void {
    this.#contenders.recount(() => {
      this.#countRunning(job, 1);
      this.families.runs(job, true);
    });
    this.#keys.get(job.row.concurrencyKey)?.take(job, this);
  }

  /** It runs no more. */
  stopped(job: ActiveJob): void {
    this.#contenders.recount(() => {
      this.#countRunning(job, -1);
      this.families.runs(job, false);
    });
    this.#keys.get(job.row.concurrencyKey)?.release(job, this);
  }

  /** For `KeyLock`; everybody else uses `enqueue`. */
  line(job: ActiveJob): void {
    const { capability, type } = job.row;
    const lane = this.#lane(capability, type);
    lane.queue.push(job);
    this.#refreshLane(lane);
  }

  /** For `KeyLock`; everybody else uses `dequeue`. */
  unline(job: ActiveJob): void {
    const lane = this.#lane(job.row.capability, job.row.type);
    lane.queue.remove(job);
    this.#refreshLane(lane);
    if (lane.queue.size > 0) return;
    lane.type?.lanes.delete(lane);
    this.#types.forgetIdle(lane.type);
    const byType = this.#lanes.get(lane.capability);
    byType?.delete(job.row.type);
    if (byType?.size === 0) this.#lanes.delete(lane.capability);
  }

  breaker(type: string): BreakerRow | null {
    return this.#types.find(type)?.breaker ?? null;
  }

  /** When an attempt of a paused type may show whether it still crashes; Infinity: that waits for nothing. */
  retryTypeAt(name: string): number {
    const type = this.#types.find(name);
    if (type === undefined || type.halfOpen) return Number.POSITIVE_INFINITY;
    return type.breaker?.retryAt ?? Number.POSITIVE_INFINITY;
  }

  /** A row without failures closes it. */
  setBreaker(row: BreakerRow): void {
    const type = this.#types.get(row.type);
    type.breaker = row.failures === 0 ? null : row;
    type.halfOpen = false;
    this.#refreshType(type);
    this.#types.forgetIdle(type);
  }

  /** The time of an open breaker has come: one attempt may run. */
  tryAgain(name: string): void {
    const type = this.#types.get(name);
    type.halfOpen = true;
    this.#refreshType(type);
  }

  #countRunning({ row }: ActiveJob, change: 1 | -1): void {
    this.running += change;
    if (row.type !== "") {
      const type = this.#types.get(row.type);
      type.running += change;
      this.#refreshType(type);
      this.#types.forgetIdle(type);
    }
  }

  #lane(capability: Capability, type: string): Lane {
    let byType = this.#lanes.get(capability);
    if (byType === undefined) {
      byType = new Map();
      this.#lanes.set(capability, byType);
    }
    let lane = byType.get(type);
    if (lane === undefined) {
      lane = new Lane(capability, type === "" ? null : this.#types.get(type));
      lane.type?.lanes.add(lane);
      byType.set(type, lane);
    }
    return lane;
  }

  #refreshType(type: TypeLoad): void {
    for (const lane of type.lanes) this.#refreshLane(lane);
  }

  #refreshLane(lane: Lane): void {
    const contender = this.#contenders.get(lane.capability);
    const { lanes } = contender;
    if (!lane.isReady) lanes.remove(lane);
    else if (lanes.has(lane)) lanes.update(lane);
    else lanes.push(lane);
    this.#contenders.touch(contender);
  }
}
