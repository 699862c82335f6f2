import { EXTERNAL_RUNNER, type Capability, type JobId } from "../jobs/ids.ts";
import type { OrganizationId, RunnerId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import { hasEnded } from "../jobs/states.ts";
import type { Patch } from "../jobs/transitions.ts";
import type { OrganizationLimits } from "../store/store.ts";
import { ActiveJob } from "./active-job.ts";
import { Organization } from "./organization.ts";
import { Timers } from "./timers.ts";

/**
 * Everything that the owner of a shard knows: its active jobs and the indexes over them. Only the
 * owner's turn changes it, through `add` and `change`, which keep every index true. It is a copy
 * of committed rows plus the turn under way; when a commit fails it is thrown away and loaded anew.
 */
export class ShardState {
  readonly #organizations = new Map<OrganizationId, Organization>();
  /** Organizations that have a job for the capability and may run one more, in the order of their turns. */
  readonly ready = new Map<Capability, Set<Organization>>();
  /** Who runs what. Attempts of EXTERNAL work are on no runner: a timer of their own ends them. */
  readonly runners = new Map<RunnerId, Set<ActiveJob>>();
  readonly timers = new Timers();

  organization(id: OrganizationId): Organization | undefined {
    return this.#organizations.get(id);
  }

  organizations(): Iterable<Organization> {
    return this.#organizations.values();
  }

  /** Takes in an organization, or its new limits if it is here already. */
  admit(limits: OrganizationLimits): Organization {
    const known = this.#organizations.get(limits.organizationId);
    if (known !== undefined) {
      known.limits = limits;
      this.#refresh(known);
      return known;
    }
    const organization = new Organization(limits);
    this.#organizations.set(limits.organizationId, organization);
    return organization;
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
    organization.jobs.set(row.id, job);
    organization.join(job);
    this.#enter(job, "last");
    this.#refresh(organization);
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
    this.#leave(job);
    job.row = { ...job.row, ...patch };
    const { organization } = job;
    if (hasEnded(after)) {
      organization.jobs.delete(job.row.id);
      organization.leave(job);
      this.timers.set(job, Number.POSITIVE_INFINITY);
    } else {
      // A rescued job has waited already: it goes before the others.
      this.#enter(job, before === "RUNNING" ? "first" : "last");
    }
    this.#refresh(organization);
  }

  /** Lets a QUEUED job at the head of its queue wait for its key instead. */
  park(job: ActiveJob): void {
    const lock = job.organization.keys.get(job.row.concurrencyKey);
    job.organization.queues.get(job.row.capability)?.shift();
    lock?.parked.push(job);
    this.#refresh(job.organization);
  }

  #enter(job: ActiveJob, place: "first" | "last"): void {
    const { row, organization } = job;
    if (row.state === "QUEUED") {
      const queue = organization.queue(row.capability);
      if (place === "first") queue.putBack(job);
      else queue.push(job);
    }
    if (row.state === "RUNNING" && row.runnerId !== "") {
      organization.running += 1;
      const lock = organization.keys.get(row.concurrencyKey);
      if (lock !== undefined) lock.holder = job;
      if (isOnRunner(row)) {
        const held = this.runners.get(row.runnerId);
        if (held === undefined) this.runners.set(row.runnerId, new Set([job]));
        else held.add(job);
      }
    }
    this.timers.set(job, wakeAt(row));
  }

  #leave(job: ActiveJob): void {
    const { row, organization } = job;
    job.queue?.remove(job);
    if (row.state !== "RUNNING" || row.runnerId === "") return;
    organization.running -= 1;
    const held = this.runners.get(row.runnerId);
    held?.delete(job);
    if (held?.size === 0) this.runners.delete(row.runnerId);
    const lock = organization.keys.get(row.concurrencyKey);
    if (lock?.holder !== job) return;
    lock.holder = null;
    const next = lock.parked.shift();
    if (next !== undefined) organization.queue(next.row.capability).putBack(next);
  }

  #refresh(organization: Organization): void {
    for (const [capability, queue] of organization.queues) {
      let ready = this.ready.get(capability);
      if (queue.size > 0 && organization.mayRunMore) {
        if (ready === undefined) {
          ready = new Set();
          this.ready.set(capability, ready);
        }
        ready.add(organization);
      } else {
        ready?.delete(organization);
        if (ready?.size === 0) this.ready.delete(capability);
      }
      if (queue.size === 0) organization.queues.delete(capability);
    }
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
