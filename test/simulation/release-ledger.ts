import { RELEASE_JOB } from "../../src/jobs/attribute.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";
import type { Acknowledgements } from "./clients.ts";

/**
 * The deferred action, commit by commit: the release and the move of its job are one, whichever
 * of the two came first.
 */
export class ReleaseLedger {
  /** Ids of jobs whose release is stored and not used up. */
  readonly waiting = new Set<string>();
  readonly #told: Pick<Acknowledgements, "deferred" | "releasesSent">;

  constructor(told: Pick<Acknowledgements, "deferred" | "releasesSent">) {
    this.#told = told;
  }

  committed(changes: ShardChanges, before: ReadonlyMap<string, JobRow>): void {
    for (const { name, value } of changes.attributes) {
      if (name !== RELEASE_JOB) continue;
      if (this.waiting.has(value)) broken("an attribute is stored once", { value });
      this.waiting.add(value);
    }
    for (const { value } of changes.removedAttributes) {
      if (!this.waiting.delete(value)) broken("only stored attributes go", { value });
    }
    for (const row of changes.inserted) {
      if (this.#told.deferred.has(row.id) && row.state !== "HELD") this.#moved(row);
    }
    for (const row of changes.updated) {
      if (before.get(row.id)?.state === "HELD" && row.state !== "HELD") this.#left(row);
      else if (this.#told.deferred.has(row.id)) this.#stands(row);
    }
    for (const row of [...changes.inserted, ...changes.updated]) {
      if (row.state === "HELD" && this.waiting.has(row.id)) {
        broken("a release is used up by its job", { id: row.id });
      }
    }
  }

  /** Born free: its release was stored before, or came in the same commit and was never stored. */
  #moved(row: JobRow): void {
    if (!this.#told.releasesSent.has(row.id)) broken("a deferred job is born HELD", { id: row.id });
    if (this.waiting.has(row.id)) broken("a release is used up by its job", { id: row.id });
  }

  /** Also of one that had ended unreleased, and was brought back to life. */
  #stands({ id, state }: JobRow): void {
    if (state === "HELD" || hasEnded(state) || this.#told.releasesSent.has(id)) return;
    broken("nothing goes on without its release", { id, state });
  }

  #left(row: JobRow): void {
    // It may have been released and have ended in one commit; unreleased it was cancelled or expired.
    if (hasEnded(row.state) && row.attempt === 0) return;
    if (!this.#told.releasesSent.has(row.id)) {
      broken("nothing goes on without its release", { id: row.id, state: row.state });
    }
    if (this.waiting.has(row.id)) broken("a release is used up by its job", { id: row.id });
  }
}
