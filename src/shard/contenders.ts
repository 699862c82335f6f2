import type { Capability } from "../jobs/ids.ts";
import { Contender, type Line } from "./contender.ts";
import type { Organization } from "./organization.ts";

/** One organization in the lines of all capabilities that it ever had a job for. */
export class Contenders {
  readonly #organization: Organization;
  readonly #lineOf: (capability: Capability) => Line;
  readonly #all = new Map<Capability, Contender>();
  #isRecounting = false;
  /** Whose lanes have changed since that began. */
  readonly #touched = new Set<Contender>();

  constructor(organization: Organization, lineOf: (capability: Capability) => Line) {
    this.#organization = organization;
    this.#lineOf = lineOf;
  }

  [Symbol.iterator](): Iterator<Contender> {
    return this.#all.values();
  }

  find(capability: Capability): Contender | undefined {
    return this.#all.get(capability);
  }

  get(capability: Capability): Contender {
    const known = this.#all.get(capability);
    if (known !== undefined) return known;
    const contender = new Contender(this.#organization, this.#lineOf(capability));
    this.#all.set(capability, contender);
    return contender;
  }

  /** The limit of the organization has changed. */
  refresh(): void {
    for (const contender of this.#all.values()) contender.refresh();
  }

  /** A lane has changed. */
  touch(contender: Contender): void {
    if (this.#isRecounting) this.#touched.add(contender);
    else contender.refresh();
  }

  /**
   * Changes what counts towards the limit. Nobody enters or leaves a line before all of it is done:
   * what is true in between stays true of nobody.
   */
  recount(change: () => void): void {
    const before = this.#organization.mayRunMore;
    this.#isRecounting = true;
    change();
    this.#isRecounting = false;
    if (this.#organization.mayRunMore !== before) this.refresh();
    else for (const contender of this.#touched) contender.refresh();
    this.#touched.clear();
  }
}
