import type { AttemptRow, JobRow, OutputRow } from "../../src/jobs/job.ts";
import { hasEnded, TRANSITIONS, type JobState } from "../../src/jobs/states.ts";
import type { Fence, ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";
import { DeliveryLedger } from "./delivery-ledger.ts";
import { FamilyLedger } from "./family-ledger.ts";
import { HookLedger } from "./hook-ledger.ts";
import { LimitsLedger } from "./limits-ledger.ts";
import { MetricLedger } from "./metric-ledger.ts";
import type { ReleaseLedger } from "./release-ledger.ts";
import type { RetentionLedger } from "./retention-ledger.ts";
import { ScheduleLedger } from "./schedule-ledger.ts";
import { StepLedger } from "./step-ledger.ts";
import { ThresholdLedger } from "./threshold-ledger.ts";
import { UnfinishedLedger } from "./unfinished-ledger.ts";
import type { Waits } from "./waits.ts";
import { WorkflowLedger } from "./workflow-ledger.ts";

/**
 * Sees every commit at the moment it takes effect, whatever the owner is told of it, and checks
 * what must be true of each and of all of them together.
 */
export class Ledger {
  readonly jobs = new Map<string, JobRow>();
  readonly attempts = new Map<string, AttemptRow>();
  readonly output = new Map<string, OutputRow[]>();
  /** Every lease that was ever committed as RUNNING. */
  readonly leases = new Set<string>();
  /** Every version of a job that was ever durable, as `<id>/<revision>`. */
  readonly versions = new Set<string>();
  /** When the revocation of a token took effect in the database. */
  readonly revokedAt = new Map<string, number>();
  commits = 0;
  /** The first broken promise. */
  fault: Error | null = null;
  readonly releases: ReleaseLedger;
  readonly schedules = new ScheduleLedger();
  readonly retention: RetentionLedger;
  readonly limits = new LimitsLedger();
  readonly steps = new StepLedger();
  readonly metrics = new MetricLedger();
  readonly deliveries = new DeliveryLedger();
  readonly hooks = new HookLedger();
  readonly thresholds = new ThresholdLedger();
  readonly workflows = new WorkflowLedger();
  readonly families = new FamilyLedger();
  readonly unfinished = new UnfinishedLedger();
  readonly #revisions = new Map<number, { epoch: number; revision: number }>();

  constructor(releases: ReleaseLedger, retention: RetentionLedger) {
    this.releases = releases;
    this.retention = retention;
  }

  /** `waits` are those of the server that committed. */
  committed(fence: Fence, changes: ShardChanges, waits: Waits): void {
    this.commits += 1;
    try {
      this.#checkFence(fence, changes.revision);
      this.#purge(changes);
      this.metrics.committed(fence.shardId, changes, this.jobs);
      this.releases.committed(changes, this.jobs);
      this.schedules.committed(changes);
      this.deliveries.committed(changes, this.jobs);
      const { settled, told } = this.unfinished.committed(changes);
      const { unsettled } = this.unfinished;
      this.hooks.committed(changes, this.jobs, told);
      this.thresholds.committed(changes, this.jobs);
      this.families.committed(changes, this.jobs, { settled, unsettled });
      const started = this.limits.startedBy(changes, this.jobs);
      const before = new Map<string, JobRow>();
      for (const { id, workflowId } of changes.updated) {
        const row = workflowId === "" ? undefined : this.jobs.get(id);
        if (row !== undefined) before.set(id, row);
      }
      for (const row of changes.inserted) this.#insert(row);
      for (const row of changes.updated) this.#update(row);
      for (const row of changes.attempts) this.#attempt(row);
      for (const row of changes.output) this.#write(row);
      this.steps.committed(changes, this.jobs);
      const { jobs, attempts } = this;
      this.workflows.committed(changes, { before, jobs, attempts, unsettled });
      this.limits.check(started, changes, this.jobs, waits);
    } catch (error) {
      this.fault ??= error as Error;
    }
  }

  #purge(changes: ShardChanges): void {
    this.retention.committed(changes, this.jobs, (row) => this.workflows.purgeAt(row));
    this.workflows.purged(changes, this.jobs);
    for (const { id } of [...changes.purged, ...changes.retired]) {
      this.output.delete(id);
      for (const key of this.attempts.keys()) {
        if (key.startsWith(`${id}/`)) this.attempts.delete(key);
      }
    }
  }

  #checkFence({ shardId, epoch }: Fence, revision: number): void {
    const last = this.#revisions.get(shardId) ?? { epoch: 0, revision: 0 };
    if (epoch < last.epoch) broken("a deposed owner commits nothing", { shardId, epoch, last });
    if (revision !== last.revision + 1) {
      broken("revisions have no gaps", { shardId, revision, last });
    }
    this.#revisions.set(shardId, { epoch, revision });
  }

  #insert(row: JobRow): void {
    if (this.jobs.has(row.id)) broken("a job is created once", { id: row.id });
    this.retention.madeAnew(row.id);
    this.#see(row);
  }

  #update(row: JobRow): void {
    const before = this.jobs.get(row.id);
    if (before === undefined) return broken("only known jobs change", { id: row.id });
    if (!isReachable(before.state, row.state)) {
      broken("states change as the table says", { id: row.id, from: before.state, to: row.state });
    }
    const backwards =
      row.attempt === before.attempt && row.progress.fraction < before.progress.fraction;
    if (backwards && row.state === "RUNNING") broken("progress never goes back", { id: row.id });
    if (row.attempt < before.attempt || row.outputCount < before.outputCount) {
      broken("counters never go back", { id: row.id });
    }
    this.#see(row);
  }

  #see(row: JobRow): void {
    if (hasEnded(row.state) !== (row.endedAt !== null)) {
      broken("a job has an end exactly when it has ended", { id: row.id, state: row.state });
    }
    const { deadlineAt, endedAt } = row;
    if (row.state === "SUCCEEDED" && deadlineAt !== null && (endedAt ?? 0) >= deadlineAt) {
      broken("no job succeeds after its time", { id: row.id, deadlineAt, endedAt });
    }
    this.jobs.set(row.id, row);
    this.versions.add(`${row.id}/${row.revision}`);
    if (row.state === "RUNNING") this.leases.add(`${row.id}/${row.attempt}/${row.leaseToken}`);
  }

  #attempt(row: AttemptRow): void {
    const key = `${row.jobId}/${row.attempt}`;
    if (this.attempts.has(key)) broken("an attempt ends once", { key });
    // A simulated result is the name of its attempt: job, number and lease.
    if (row.result !== null && !row.result.startsWith(`"${key}/`)) {
      broken("a stale attempt changes nothing", { key, result: row.result });
    }
    this.attempts.set(key, row);
  }

  #write(row: OutputRow): void {
    const rows = this.output.get(row.jobId) ?? [];
    if (rows.some(({ text }) => text === row.text)) {
      broken("a report is applied once", { id: row.jobId, text: row.text });
    }
    if (row.seq !== rows.length) broken("output has no gaps", { id: row.jobId, seq: row.seq });
    rows.push(row);
    this.output.set(row.jobId, rows);
  }
}

/** Several transitions may fall into one commit. */
const REACHABLE = new Map<JobState, Set<JobState>>();

const isReachable = (from: JobState, to: JobState): boolean => {
  let reachable = REACHABLE.get(from);
  if (reachable === undefined) {
    reachable = new Set([from]);
    for (const state of reachable) {
      for (const targets of Object.values(TRANSITIONS[state])) {
        for (const target of targets) reachable.add(target);
      }
    }
    REACHABLE.set(from, reachable);
  }
  return reachable.has(to);
};
