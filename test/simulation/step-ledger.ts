import type { JobId } from "../../src/jobs/ids.ts";
import type { JobRow, StepRow } from "../../src/jobs/job.ts";
import type { StepResult } from "../../src/jobs/report.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";

/** The steps of jobs: which were written, and which some runner was thanked for. */
export class StepLedger {
  readonly #written = new Map<JobId, Map<string, StepRow>>();
  readonly #acknowledged = new Map<JobId, Map<string, string>>();

  /** `jobs` as they are with this commit. */
  committed({ steps, purged }: ShardChanges, jobs: ReadonlyMap<string, JobRow>): void {
    for (const { id } of purged) {
      this.#written.delete(id);
      this.#acknowledged.delete(id);
    }
    for (const step of steps) {
      const { jobId: id, name } = step;
      if (step.attempt !== jobs.get(id)?.attempt) {
        broken("a stale attempt changes nothing", { id, step: name, attempt: step.attempt });
      }
      const before = this.#of(this.#written, id);
      if (before.has(name)) broken("a step that ended is not run again", { id, step: name });
      before.set(name, step);
    }
  }

  /** A runner was told that the step of a job is durable. */
  acknowledge(id: JobId, { name, result }: StepResult): void {
    this.#of(this.#acknowledged, id).set(name, result);
  }

  /** What every attempt that begins now has to find. */
  acknowledged(id: JobId): StepResult[] {
    return [...(this.#acknowledged.get(id) ?? [])].map(([name, result]): StepResult => ({
      name,
      result,
    }));
  }

  /** Jobs with steps that count. */
  jobs(): readonly JobId[] {
    return [...this.#acknowledged.keys()];
  }

  #of<T>(all: Map<JobId, Map<string, T>>, id: JobId): Map<string, T> {
    const found = all.get(id) ?? new Map<string, T>();
    all.set(id, found);
    return found;
  }
}

/** Names of steps in `wanted` that `found` lacks, or has with another result. */
export const missingSteps = (
  wanted: readonly StepResult[],
  found: readonly StepResult[],
): string[] => {
  const results = new Map(found.map(({ name, result }) => [name, result]));
  return wanted.filter(({ name, result }) => results.get(name) !== result).map(({ name }) => name);
};
