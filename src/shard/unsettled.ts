import type { JobId, OrganizationId } from "../jobs/ids.ts";
import type { ActiveJob } from "./active-job.ts";

/** A job that has ended, or is to end, and what of that has not come to others yet. */
export type Unsettled = {
  readonly job: ActiveJob;
  /** The first tie to a step that waits for it which has not been settled. */
  tie: number;
  /** It stands in the database. */
  isNoted: boolean;
};

/**
 * The jobs of a shard that have not been settled, because a turn does only so much of it. Organizations
 * take turns, so that one with very much of it does not keep the others. What stands here at the end of a
 * turn is written down with it (TurnUnfinished), and read by the next owner.
 */
export class UnsettledJobs {
  readonly #organizations = new Map<OrganizationId, Map<JobId, Unsettled>>();
  #fresh: Unsettled[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(organizationId: OrganizationId, id: JobId): Unsettled | undefined {
    return this.#organizations.get(organizationId)?.get(id);
  }

  add(one: Unsettled): void {
    const { organizationId, id } = one.job.row;
    if (this.find(organizationId, id) !== undefined) return;
    let jobs = this.#organizations.get(organizationId);
    if (jobs === undefined) {
      jobs = new Map();
      this.#organizations.set(organizationId, jobs);
    }
    jobs.set(id, one);
    this.#size += 1;
    if (!one.isNoted) this.#fresh.push(one);
  }

  remove({ job: { row } }: Unsettled): void {
    const jobs = this.#organizations.get(row.organizationId);
    if (jobs?.delete(row.id) !== true) return;
    this.#size -= 1;
    if (jobs.size === 0) this.#organizations.delete(row.organizationId);
  }

  of(organizationId: OrganizationId): Iterable<Unsettled> {
    return this.#organizations.get(organizationId)?.values() ?? [];
  }

  /** Whose turn it is, which goes to the end of the line. */
  next(): OrganizationId | undefined {
    const [first] = this.#organizations;
    if (first === undefined) return undefined;
    const [id, jobs] = first;
    this.#organizations.delete(id);
    this.#organizations.set(id, jobs);
    return id;
  }

  /** Those that came since the last time that somebody asked, and are still there. */
  takeFresh(): Unsettled[] {
    const fresh = this.#fresh.filter(
      (one) => this.find(one.job.row.organizationId, one.job.row.id) === one,
    );
    this.#fresh = [];
    return fresh;
  }
}
