import type { AuditRow } from "../jobs/audit.ts";
import type { BreakerRow } from "../jobs/breaker.ts";
import type { JobId, OrganizationId, RunnerId } from "../jobs/ids.ts";
import type { AttemptRow, JobRow, Millis, OutputRow, RequestRow } from "../jobs/job.ts";
import { REMOVED, type ScriptRow, type SpecRow, type StepRow } from "../jobs/job.ts";
import type { Patch } from "../jobs/transitions.ts";
import type { ColdRows, PurgedJob, ShardChanges } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";
import type { ActiveWorkflow } from "./active-workflow.ts";
import type { Organization } from "./organization.ts";
import { purgeTime } from "./purge-time.ts";
import { noteAwaited, type SlotNote, wakeWholly } from "./rest.ts";
import { isOnRunner, type ShardState } from "./state.ts";
import { type AmendedJob, jobChanges } from "./job-changes.ts";
import { TurnAttributes } from "./turn-attributes.ts";
import { TurnNotices } from "./turn-notices.ts";
import { TurnPoints } from "./turn-points.ts";
import { TurnRemovals } from "./turn-removals.ts";
import { TURN_BOUNDS, type TurnBounds } from "./turn-bounds.ts";
import { TurnSchedules } from "./turn-schedules.ts";
import { TurnUnfinished } from "./turn-unfinished.ts";
import { TurnWorkflows } from "./turn-workflows.ts";

const keyOf = (organizationId: OrganizationId, id: string): string => `${organizationId}/${id}`;

/**
 * One turn of the owner: a batch of commands applied to the state, and the list of all that they
 * changed, which becomes one commit. Given the same state, commands, cold rows, time and
 * randomness it does the same.
 */
export class Turn {
  readonly state: ShardState;
  readonly now: Millis;
  /** The revision of the commit that this turn becomes. */
  readonly revision: number;
  /** [0, 1) */
  readonly random: () => number;
  /** A fresh UUIDv7. */
  readonly newId: () => string;

  /** Jobs that changed, with the committed row before this turn; null for a new job. */
  readonly #touched = new Map<ActiveJob, JobRow | null>();
  /** Jobs that ended in this turn: no longer in the state, not yet in the database. */
  readonly #departed = new Map<string, ActiveJob>();
  readonly #cold = new Map<string, JobRow>();
  /** Ended before this turn, and still so. */
  readonly #amended = new Map<string, AmendedJob>();
  readonly #requests = new Map<string, RequestRow>();
  readonly #specs = new Map<string, SpecRow>();
  readonly #newRequests: RequestRow[] = [];
  readonly #scripts = new Map<string, ScriptRow>();
  #changes: ShardChanges | null = null;
  readonly attempts: AttemptRow[] = [];
  readonly output: OutputRow[] = [];
  readonly #steps = new Map<string, StepRow>();
  readonly #breakers = new Map<string, BreakerRow>();
  readonly removals = new TurnRemovals();
  readonly #audit: AuditRow[] = [];
  /** Jobs that ended since `takeEnded` was asked. */
  #ended: ActiveJob[] = [];
  /** How many of `toStop` have been given out by `takeAsked`. */
  #asked = 0;
  readonly schedules: TurnSchedules;
  readonly attributes: TurnAttributes;
  readonly workflows: TurnWorkflows;
  readonly notices: TurnNotices;
  readonly unfinished: TurnUnfinished;
  readonly points = new TurnPoints();
  /** Running attempts whose runners are to be told to stop them. */
  readonly toStop: ActiveJob[] = [];
  /** A runner for each slot that became free. */
  readonly released: RunnerId[] = [];
  readonly slotNotes: SlotNote[] = [];

  constructor(
    state: ShardState,
    at: Pick<Turn, "now" | "revision" | "random" | "newId">,
    cold: ColdRows,
    bounds: TurnBounds = TURN_BOUNDS,
  ) {
    this.state = state;
    this.now = at.now;
    this.revision = at.revision;
    this.random = at.random;
    this.newId = at.newId;
    for (const row of cold.jobs) this.#cold.set(keyOf(row.organizationId, row.id), row);
    for (const row of cold.requests) {
      this.#requests.set(keyOf(row.organizationId, row.requestId), row);
    }
    for (const limits of cold.organizations) state.admit(limits);
    this.schedules = new TurnSchedules(cold);
    this.attributes = new TurnAttributes(cold);
    this.workflows = new TurnWorkflows(cold);
    this.notices = new TurnNotices(cold);
    this.unfinished = new TurnUnfinished(cold, bounds);
  }

  /** True for a turn that leaves nothing to commit. */
  get changedNothing(): boolean {
    return (
      this.#touched.size === 0 &&
      this.#amended.size === 0 &&
      this.#audit.length === 0 &&
      this.schedules.changedNothing &&
      this.attributes.changedNothing &&
      this.workflows.changedNothing &&
      this.notices.changedNothing &&
      this.points.changedNothing &&
      this.unfinished.changedNothing &&
      this.#breakers.size === 0 &&
      this.removals.changedNothing
    );
  }

  /** The job as it stands now, active or not; null if there is none. */
  row(organizationId: OrganizationId, id: JobId): JobRow | null {
    return (
      this.state.find(organizationId, id)?.row ??
      this.#departed.get(keyOf(organizationId, id))?.row ??
      this.#cold.get(keyOf(organizationId, id)) ??
      null
    );
  }

  request(organizationId: OrganizationId, requestId: string): RequestRow | null {
    return this.#requests.get(keyOf(organizationId, requestId)) ?? null;
  }

  /** The spec of a job that was submitted in this turn. */
  spec(organizationId: OrganizationId, id: JobId): SpecRow | undefined {
    return this.#specs.get(keyOf(organizationId, id));
  }

  insert(row: JobRow, spec: SpecRow): ActiveJob {
    const shared = this.state.sharing.row(row);
    const job = this.state.add({ ...shared, revision: this.revision, updatedAt: this.now });
    this.#touched.set(job, null);
    this.#specs.set(keyOf(row.organizationId, row.id), spec);
    return job;
  }

  change(job: ActiveJob, patch: Patch): JobRow {
    const before = job.row;
    if (patch.state !== undefined && job.organization.families.rests(job)) wakeWholly(this, job);
    this.state.change(job, {
      ...patch,
      ...(patch.endedAt === undefined ? null : { purgeAt: purgeTime(job, patch.endedAt) }),
      revision: this.revision,
      updatedAt: this.now,
    });
    if (!this.#touched.has(job)) this.#touched.set(job, before);
    if (before.state === "RUNNING" && job.row.state !== "RUNNING" && isOnRunner(before)) {
      this.released.push(before.runnerId as RunnerId);
      noteAwaited(this, job, before, -1);
    } else if (before.state !== "RUNNING" && job.row.state === "RUNNING") {
      noteAwaited(this, job, job.row, 1);
    }
    if (job.row.endedAt !== null) {
      this.#departed.set(keyOf(job.row.organizationId, job.row.id), job);
      if (before.endedAt === null) this.#ended.push(job);
    }
    return job.row;
  }

  /** Jobs that ended since the last time that somebody asked. */
  takeEnded(): ActiveJob[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  /** Running jobs that were asked to end since the last time that somebody asked. */
  takeAsked(): ActiveJob[] {
    const asked = this.toStop.slice(this.#asked);
    this.#asked = this.toStop.length;
    return asked;
  }

  /** Every job that the turn changed, with the committed row before it; null for a new job. */
  touched(): Iterable<readonly [ActiveJob, JobRow | null]> {
    return this.#touched;
  }

  /** Changes facts of a job that has ended, and stays so. A command that asks has to want it. */
  amend(row: JobRow, patch: Patch): JobRow {
    const key = keyOf(row.organizationId, row.id);
    const departed = this.#departed.get(key);
    const after: JobRow = { ...row, ...patch, revision: this.revision, updatedAt: this.now };
    if (departed === undefined) {
      this.#cold.set(key, after);
      this.#amended.set(key, { before: this.#amended.get(key)?.before ?? row, after });
    } else {
      departed.row = after;
    }
    return after;
  }

  /**
   * Brings an ended job back to life: its end is told anew. Its organization must have been admitted.
   */
  revive(row: JobRow, patch: Patch): JobRow {
    const key = keyOf(row.organizationId, row.id);
    const departed = this.#departed.get(key);
    const job = this.state.add({
      ...row,
      callbackState: row.callbackUrl === "" ? "NONE" : "PENDING",
      ...patch,
      revision: this.revision,
      updatedAt: this.now,
    });
    const before = departed && this.#touched.get(departed);
    this.#touched.set(job, before === undefined ? (this.#amended.get(key)?.before ?? row) : before);
    this.#amended.delete(key);
    if (departed !== undefined) {
      this.#touched.delete(departed);
      this.#departed.delete(key);
    }
    return job.row;
  }

  /** Removes an ended job for good: from now on it is as if it had never been. */
  purge(job: PurgedJob): void {
    this.#cold.delete(keyOf(job.organizationId, job.id));
    this.#requests.delete(keyOf(job.organizationId, job.requestId));
    this.removals.jobs.push(job);
  }

  /** Removes an ended workflow for good: nobody finds it any more, nor one of its jobs. */
  purgeWorkflow({ row: workflow, steps }: ActiveWorkflow): void {
    this.#requests.delete(keyOf(workflow.organizationId, workflow.requestId));
    this.workflows.purge(workflow);
    for (const { row: step } of steps) {
      const key = keyOf(step.organizationId, step.jobId);
      const job = this.#amended.get(key)?.before ?? this.#cold.get(key);
      if (job === undefined) continue;
      this.#amended.delete(key);
      this.#cold.set(key, { ...job, purgeAt: REMOVED });
      this.removals.retired.push(job);
    }
  }

  remember(request: RequestRow): void {
    this.#requests.set(keyOf(request.organizationId, request.requestId), request);
    this.#newRequests.push(request);
  }

  addStep(step: StepRow): void {
    const key = `${keyOf(step.organizationId, step.jobId)}/${step.name}`;
    if (!this.#steps.has(key)) this.#steps.set(key, step);
  }

  addScript(script: ScriptRow): void {
    this.#scripts.set(keyOf(script.organizationId, script.hash), script);
  }

  /** Notes who did something; in the same commit as what he did. */
  audit(
    organizationId: OrganizationId,
    line: Omit<AuditRow, "organizationId" | "id" | "at">,
  ): void {
    this.#audit.push({ organizationId, id: this.newId(), at: this.now, ...line });
  }

  /** Opens or closes the breaker of a type. */
  setBreaker(organization: Organization, row: BreakerRow): void {
    this.state.setBreaker(organization, row);
    this.#breakers.set(keyOf(row.organizationId, row.type), row);
  }

  /** Everything to be written. Asked for once the turn has been decided; the same from then on. */
  changes(): ShardChanges {
    this.#changes ??= this.#collect();
    return this.#changes;
  }

  #collect(): ShardChanges {
    return {
      revision: this.revision,
      ...jobChanges(this.#touched, this.#amended.values()),
      specs: [...this.#specs.values()],
      attempts: this.attempts,
      output: this.output,
      steps: [...this.#steps.values()],
      requests: this.#newRequests,
      scripts: [...this.#scripts.values()],
      audit: this.#audit,
      ...this.attributes.changes(),
      ...this.schedules.changes(),
      ...this.workflows.changes(),
      ...this.notices.changes(),
      ...this.points.changes(),
      ...this.unfinished.changes(),
      breakers: [...this.#breakers.values()],
      ...this.removals.changes(),
    };
  }
}
