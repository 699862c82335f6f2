import type { OrganizationId } from "../jobs/ids.ts";

/**
 * How many changes of jobs stand in the database of which hooks are still to be told. Organizations take
 * turns.
 */
export class Untold {
  readonly #counts = new Map<OrganizationId, number>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  has(id: OrganizationId): boolean {
    return this.#counts.has(id);
  }

  add(id: OrganizationId, change: number): void {
    const count = (this.#counts.get(id) ?? 0) + change;
    if (count > 0) this.#counts.set(id, count);
    else this.#counts.delete(id);
  }

  /** Whose turn it is, which goes to the end of the line. */
  next(): OrganizationId | undefined {
    const [first] = this.#counts;
    if (first === undefined) return undefined;
    const [id, count] = first;
    this.#counts.delete(id);
    this.#counts.set(id, count);
    return id;
  }
}
