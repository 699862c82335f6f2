import type { BreakerRow } from "../jobs/breaker.ts";
import type { HookRow } from "../jobs/hook.ts";
import { EXTERNAL_RUNNER, type JobId, type OrganizationId, type RunnerId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import { Sharing } from "../jobs/sharing.ts";
import { hasEnded } from "../jobs/states.ts";
import type { Patch } from "../jobs/transitions.ts";
import type { OrganizationLimits } from "../store/store.ts";
import { ActiveJob } from "./active-job.ts";
import { Lines } from "./lines.ts";
import { OpenPoints } from "./open-points.ts";
import { Organization } from "./organization.ts";
import { Timers } from "./timers.ts";
import { Trials } from "./trials.ts";
import { UnsettledJobs } from "./unsettled.ts";
import { Untold } from "./untold.ts";
import { Watched } from "./watched.ts";
import { Workflows } from "./workflows.ts";

/**
 * Everything that the owner of a shard knows: its active jobs and the indexes over them. Only the
 * owner's turn changes it, through `add` and `change`, which keep every index true. It is a copy
 * of committed rows plus the turn under way; when a commit fails it is thrown away and loaded anew.
 */
export class ShardState {
  readonly points: OpenPoints;
  readonly #organizations = new Map<OrganizationId, Organization>();
  /** Who waits for slots, and whose turn it is. */
  readonly lines = new Lines();
  /** Who runs what. Attempts of EXTERNAL work are on no runner: a timer of their own ends them. */
  readonly runners = new Map<RunnerId, Set<ActiveJob>>();
  readonly timers = new Timers();
  readonly workflows = new Workflows();
  /** Paused types, and when each is tried again. */
  readonly trials = new Trials();
  /** Organizations with hooks on thresholds, and when these are looked at. */
  readonly watched = new Watched();
  /** Jobs that say the same share what they say. */
  readonly sharing = new Sharing();
  readonly unsettled = new UnsettledJobs();
  readonly untold = new Untold();
  /** Organizations with running jobs that wait for children of theirs. */
  readonly resting = new Set<Organization>();
  #lastSeat = 0;
  #firstSeat = 0;

  constructor(points = new OpenPoints(0, 0)) {
    this.points = points;
  }

  organization(id: OrganizationId): Organization | undefined {
    return this.#organizations.get(id);
  }

  organizations(): Iterable<Organization> {
    return this.#organizations.values();
  }

  /** Takes in an organization; one that is known gets these limits, at once. */
  admit(limits: OrganizationLimits): Organization {
    const known = this.#organizations.get(limits.organizationId);
    if (known !== undefined) {
      known.configure(limits);
      return known;
    }
    const organization = new Organization(limits, (capability) => this.lines.line(capability));
    this.#organizations.set(limits.organizationId, organization);
    for (const { type } of limits.breakers) this.trials.watch(organization, type);
    this.watched.refresh(organization);
    return organization;
  }

  /** A breaker was set: it counts at once. */
  setBreaker(organization: Organization, row: BreakerRow): void {
    organization.setBreaker(row);
    this.trials.watch(organization, row.type);
  }

  /** A hook is new or has changed. Its organization must have been admitted. */
  setHook(row: HookRow): void {
    const organization = this.#organizations.get(row.organizationId);
    if (organization === undefined) return;
    organization.hooks.put(row);
    this.watched.refresh(organization);
  }

  removeHook({ organizationId, id }: HookRow): void {
    const organization = this.#organizations.get(organizationId);
    if (organization === undefined) return;
    organization.hooks.remove(id);
    this.watched.refresh(organization);
  }

  /** When time will move something; Infinity if nothing waits for that. */
  wakesAt(): number {
    return Math.min(this.timers.next(), this.trials.next(), this.watched.next());
  }

  find(organizationId: OrganizationId, id: JobId): ActiveJob | undefined {
    return this.#organizations.get(organizationId)?.jobs.get(id);
  }

  /** Takes in a job that has not ended. Its organization must have been admitted. */
  add(row: JobRow): ActiveJob {
    const organization = this.#organizations.get(row.organizationId);
    if (organization === undefined) {
      throw new Error(`organization ${row.organizationId} has not been admitted`);
    }
    const job = new ActiveJob(row, organization);
    organization.join(job);
    this.#enter(job, "last");
    return job;
  }

  /** Gives a job new facts and moves it to where they put it; a job that has ended goes out. */
  change(job: ActiveJob, patch: Patch): void {
    const before = job.row.state;
    const after = patch.state ?? before;
    if (before === after) {
      job.row = { ...job.row, ...patch };
      return;
    }
    this.#leave(job, patch);
    job.row = { ...job.row, ...patch };
    const { organization } = job;
    if (hasEnded(after)) {
      organization.part(job);
      organization.census.end(job.row);
      if (job.row.hookChain.length > 0) organization.ofHooks.end(job.row);
      this.timers.set(job, Number.POSITIVE_INFINITY);
    } else {
      // A rescued job has waited already: it goes before the others.
      this.#enter(job, before === "RUNNING" ? "first" : "last");
    }
  }

  #enter(job: ActiveJob, place: "first" | "last"): void {
    const { row, organization } = job;
    organization.census.enter(row);
    if (row.hookChain.length > 0) organization.ofHooks.enter(row);
    if (row.state === "QUEUED") {
      job.seat = place === "first" ? (this.#firstSeat -= 1) : (this.#lastSeat += 1);
      organization.enqueue(job);
    }
    if (row.state === "RUNNING" && row.runnerId !== "") {
      organization.started(job);
      if (isOnRunner(row)) {
        const held = this.runners.get(row.runnerId);
        if (held === undefined) this.runners.set(row.runnerId, new Set([job]));
        else held.add(job);
      }
    }
    this.timers.set(job, wakeAt(row));
  }

  #leave(job: ActiveJob, patch: Patch): void {
    const { row, organization } = job;
    organization.census.leave(row);
    if (row.hookChain.length > 0) organization.ofHooks.leave(row);
    if (row.state === "QUEUED") organization.dequeue(job);
    if (row.state !== "RUNNING" || row.runnerId === "") return;
    // Before the organization stands in a line again, which forgives what it is owed.
    this.lines.settle(job, patch);
    organization.stopped(job);
    const held = this.runners.get(row.runnerId);
    held?.delete(job);
    if (held?.size === 0) this.runners.delete(row.runnerId);
  }
}

/** True for an attempt that a runner does. */
export const isOnRunner = ({ runnerId }: JobRow): boolean =>
  runnerId !== "" && runnerId !== EXTERNAL_RUNNER;

const wakeAt = (row: JobRow): number => {
  const deadline = row.deadlineAt ?? Number.POSITIVE_INFINITY;
  switch (row.state) {
    case "SCHEDULED":
    case "RETRYING":
      return Math.min(row.runAt, deadline);
    case "HELD":
    case "BLOCKED":
    case "QUEUED":
      return deadline;
    // Attempts on runners are watched by a sweep: there are never more of them than slots.
    case "RUNNING":
      return isOnRunner(row)
        ? Number.POSITIVE_INFINITY
        : Math.min((row.startedAt ?? 0) + row.attemptTimeoutMs, deadline);
    case "SUCCEEDED":
    case "FAILED":
    case "CANCELLED":
      return Number.POSITIVE_INFINITY;
  }
};
