import type { OrganizationId } from "../jobs/ids.ts";
import type { Line } from "./line.ts";

type Waiting = { readonly lines: Line[]; inFlight: number };

/**
 * Lines that could be sent from now, by organization: one organization after another has its turn,
 * whatever the others have waiting. Of its places one organization has three quarters at most, so
 * that another that comes later finds one.
 */
export class Ring {
  readonly #places: number;
  readonly #placesOfOne: number;
  readonly #organizations = new Map<OrganizationId, Waiting>();
  /** Those that have lines, and whose turn it is first. */
  readonly #order: OrganizationId[] = [];
  #inFlight = 0;

  constructor(places: number) {
    this.#places = Math.max(1, places);
    this.#placesOfOne = Math.max(1, Math.ceil(this.#places * 0.75));
  }

  get room(): number {
    return this.#places - this.#inFlight;
  }

  push(line: Line): void {
    const { organizationId } = line.receiver;
    const waiting = this.#of(organizationId);
    if (waiting.lines.length === 0) this.#order.push(organizationId);
    waiting.lines.push(line);
  }

  /** The next line, and how many places its organization has for it; null if there is no place. */
  shift(): { readonly line: Line; readonly room: number } | null {
    if (this.room <= 0) return null;
    for (let looked = this.#order.length; looked > 0; looked -= 1) {
      const id = this.#order.shift();
      if (id === undefined) return null;
      const waiting = this.#of(id);
      const room = Math.min(this.room, this.#placesOfOne - waiting.inFlight);
      const line = room > 0 ? waiting.lines.shift() : undefined;
      if (waiting.lines.length > 0) this.#order.push(id);
      else this.#drop(id, waiting);
      if (line !== undefined) return { line, room };
    }
    return null;
  }

  use(organizationId: OrganizationId, places: number): void {
    this.#inFlight += places;
    const waiting = this.#of(organizationId);
    waiting.inFlight += places;
    this.#drop(organizationId, waiting);
  }

  #of(id: OrganizationId): Waiting {
    const known = this.#organizations.get(id);
    if (known !== undefined) return known;
    const fresh = { lines: [], inFlight: 0 };
    this.#organizations.set(id, fresh);
    return fresh;
  }

  #drop(id: OrganizationId, { lines, inFlight }: Waiting): void {
    if (lines.length === 0 && inFlight === 0) this.#organizations.delete(id);
  }
}
