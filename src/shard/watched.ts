import type { Millis } from "../jobs/job.ts";
import type { Organization } from "./organization.ts";

/** How often thresholds are looked at. */
export const WATCH_EVERY_MS = 5_000;

/** The organizations whose numbers somebody wants to hear of: those with hooks on thresholds. */
export class Watched {
  readonly #organizations = new Set<Organization>();
  #nextAt = 0;
  #since: Millis | null = null;

  /** The hooks of the organization have changed. */
  refresh(organization: Organization): void {
    if (organization.hooks.watchesNumbers) this.#organizations.add(organization);
    else this.#organizations.delete(organization);
  }

  /** When they are to be looked at; Infinity if there are none. */
  next(): number {
    return this.#organizations.size === 0 ? Number.POSITIVE_INFINITY : this.#nextAt;
  }

  /** Since when this owner looks at any; null: not yet. */
  get since(): Millis | null {
    return this.#since;
  }

  /** Those that are to be looked at now: none, if it is not time yet. */
  due(now: Millis): readonly Organization[] {
    if (now < this.next()) return [];
    this.#since ??= now;
    this.#nextAt = now + WATCH_EVERY_MS;
    return [...this.#organizations];
  }
}
