import { TypeLoad } from "./type-load.ts";

/** The types of one organization of which something is to be remembered. */
export class TypeLoads {
  readonly #types = new Map<string, TypeLoad>();
  #limits: ReadonlyMap<string, number>;

  constructor(limits: ReadonlyMap<string, number>) {
    this.#limits = limits;
  }

  /** New limits, which count at once. Answers with all types that they may change. */
  limit(limits: ReadonlyMap<string, number>): Iterable<TypeLoad> {
    this.#limits = limits;
    for (const type of this.#types.values()) type.limit = this.#limitOf(type.name);
    return this.#types.values();
  }

  find(name: string): TypeLoad | undefined {
    return this.#types.get(name);
  }

  get(name: string): TypeLoad {
    let type = this.#types.get(name);
    if (type === undefined) {
      type = new TypeLoad(name, this.#limitOf(name));
      this.#types.set(name, type);
    }
    return type;
  }

  /** Of which there is nothing more to remember. */
  forgetIdle(type: TypeLoad | null): void {
    if (type?.isIdle === true) this.#types.delete(type.name);
  }

  #limitOf(name: string): number {
    return this.#limits.get(name) ?? Number.POSITIVE_INFINITY;
  }
}
