import type { JobRow } from "../../src/jobs/job.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";

/** The clocks of the servers differ from the world's by no more. */
const SKEW_MS = 50;

/** Retention, commit by commit: what goes had ended, its time had come, and nobody had revived it. */
export class RetentionLedger {
  /** The last row of every job that went. One that was submitted again later is not here any more. */
  readonly purged = new Map<string, JobRow>();
  /** Of these, rows are still there: they went with their workflow. */
  readonly retired = new Set<string>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param purgeAtOf when a job may be removed: a step goes with its workflow */
  committed(
    { purged, retired }: ShardChanges,
    jobs: Map<string, JobRow>,
    purgeAtOf: (row: JobRow) => number | null,
  ): void {
    const ofThoseBefore = purged.filter(({ id }) => this.retired.delete(id));
    for (const { id, revision } of [...purged, ...retired]) {
      const row = jobs.get(id);
      if (ofThoseBefore.some((job) => job.id === id)) continue;
      if (row === undefined) return broken("only known jobs are removed", { id });
      if (!hasEnded(row.state) || row.revision !== revision) {
        broken("a job is removed as it was read", { id, state: row.state, revision });
      }
      const purgeAt = purgeAtOf(row);
      if (purgeAt === null || purgeAt > this.#now() + SKEW_MS) {
        broken("no job is removed before its time", { id, purgeAt });
      }
      this.purged.set(id, row);
      jobs.delete(id);
    }
    for (const { id } of retired) this.retired.add(id);
  }

  /** Its request was forgotten with it: asked again, it is a new job. */
  madeAnew(id: string): void {
    this.purged.delete(id);
  }
}
