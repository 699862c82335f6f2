import type { SpecRow } from "../jobs/job.ts";
import type { JobKey } from "../store/store.ts";

/** For each shard. */
const BUDGET = 16 * 1024 * 1024;
/** About what an entry takes besides its input: a million empty inputs are not nothing. */
const ENTRY = 512;

const sizeOf = ({ input, bindings }: SpecRow): number => ENTRY + input.length + bindings.length;

const keyOf = ({ organizationId, id }: JobKey): string => `${organizationId}/${id}`;

/**
 * Specs of jobs that wait, so that most of them need not be read again when they start. Specs never
 * change, so nothing here can be stale. What does not fit is not kept: those who came first start
 * first, and pushing them out for later ones would leave nothing to find.
 */
export class SpecKeeper {
  readonly #specs = new Map<string, SpecRow>();
  #size = 0;

  keep(spec: SpecRow): void {
    if (this.#size + sizeOf(spec) > BUDGET) return;
    this.#size += sizeOf(spec);
    this.#specs.set(keyOf(spec), spec);
  }

  find(key: JobKey): SpecRow | undefined {
    return this.#specs.get(keyOf(key));
  }

  /** The job has started, or ended. */
  drop(key: JobKey): void {
    const spec = this.#specs.get(keyOf(key));
    if (spec === undefined) return;
    this.#size -= sizeOf(spec);
    this.#specs.delete(keyOf(key));
  }
}
