import type { PurgedJob, RetiredJob, ShardChanges } from "../store/store.ts";

/** What retention removes in one turn. */
export class TurnRemovals {
  readonly jobs: PurgedJob[] = [];
  /** Rows of output that go before their job. */
  readonly output: ShardChanges["purgedOutput"][number][] = [];
  /** Jobs that go with their workflow. */
  readonly retired: RetiredJob[] = [];

  get changedNothing(): boolean {
    return this.jobs.length + this.output.length + this.retired.length === 0;
  }

  changes(): Pick<ShardChanges, "purged" | "purgedOutput" | "retired"> {
    return { purged: this.jobs, purgedOutput: this.output, retired: this.retired };
  }
}
