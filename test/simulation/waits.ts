import type { JobId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import type { AttemptRef } from "../../src/jobs/report.ts";
import { hasEnded } from "../../src/jobs/states.ts";

type Call = { readonly ref: AttemptRef; readonly child: JobId };

/**
 * The attempts that one life of a server may take for resting: it has not ended their calls yet. It
 * may take fewer for it, as after a reload, and never others.
 */
export class Waits {
  readonly #calls = new Set<Call>();

  /** To be called before the server hears of it; answers with what ends it. */
  begin(ref: AttemptRef, child: JobId): () => void {
    const call = { ref, child };
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** Running jobs that may rest, and those that may be waited for. */
  among(jobs: ReadonlyMap<string, JobRow>): {
    readonly resting: ReadonlySet<string>;
    readonly awaited: ReadonlySet<string>;
  } {
    const [resting, awaited] = [new Set<string>(), new Set<string>()];
    for (const { ref, child } of this.#calls) {
      const parent = jobs.get(ref.jobId);
      const row = jobs.get(child);
      if (parent?.state !== "RUNNING" || parent.attempt !== ref.attempt) continue;
      if (row === undefined || hasEnded(row.state)) continue;
      resting.add(ref.jobId);
      awaited.add(child);
    }
    return { resting, awaited };
  }
}
