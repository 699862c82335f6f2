import type { JobId } from "../jobs/ids.ts";
import type {
  EdgeRow,
  UpstreamFailurePolicy,
  WorkflowRow,
  WorkflowStepRow,
} from "../jobs/workflow.ts";
import type { WorkflowRows } from "../store/store.ts";

/** One step waits for the end of another. */
export type Tie = {
  readonly upstream: Step;
  readonly dependent: Step;
  readonly onFailure: UpstreamFailurePolicy;
};

/** A step of a workflow, with the ties on both of its sides. */
export class Step {
  readonly row: WorkflowStepRow;
  /** How many of its upstreams are active. It counts while the job itself is HELD or BLOCKED. */
  waits = 0;
  /** To those that it waits for. */
  readonly after: Tie[] = [];
  /** To those that wait for it. */
  readonly before: Tie[] = [];

  constructor(row: WorkflowStepRow) {
    this.row = row;
  }

  /** Its failure is answered by steps that run anyway. Without any it is not. */
  get isAnswered(): boolean {
    return this.before.length > 0 && this.before.every(({ onFailure }) => onFailure === "RUN");
  }
}

/**
 * A workflow that has not ended: its row, and who waits for whom. Its jobs are among the active ones
 * of the shard as long as they have not ended themselves. Made of committed rows, or of rows that
 * the turn under way commits.
 */
export class ActiveWorkflow {
  row: WorkflowRow;
  /** By position. */
  readonly steps: readonly Step[];
  readonly #steps = new Map<JobId, Step>();

  constructor({ workflow, steps, edges }: WorkflowRows) {
    const { organizationId, id: workflowId } = workflow;
    this.row = workflow;
    // Read from the database, each row has texts of its own.
    this.steps = steps.map((row) => new Step({ ...row, organizationId, workflowId }));
    for (const step of this.steps) this.#steps.set(step.row.jobId, step);
    for (const { jobId, upstreamId, onFailure } of edges) {
      const tie = { upstream: this.step(upstreamId), dependent: this.step(jobId), onFailure };
      tie.upstream.before.push(tie);
      tie.dependent.after.push(tie);
    }
  }

  /** @throws Error for a job that is none of its steps: the database would be damaged */
  step(jobId: JobId): Step {
    const step = this.#steps.get(jobId);
    if (step === undefined) throw new Error(`job ${jobId} is no step of workflow ${this.row.id}`);
    return step;
  }

  /** Counts anew which of its upstreams each step waits for: those that have not ended. */
  countWaits(isActive: (jobId: JobId) => boolean): void {
    const active = new Set(this.steps.filter(({ row }) => isActive(row.jobId)));
    for (const step of this.steps) {
      step.waits = 0;
      for (const { upstream } of step.after) if (active.has(upstream)) step.waits += 1;
    }
  }

  /** As it is stored. */
  rows(): WorkflowRows {
    const { organizationId, id: workflowId } = this.row;
    const edges = this.steps.flatMap(({ row: { jobId }, after }) =>
      after.map(({ upstream, onFailure }): EdgeRow => ({
        organizationId,
        workflowId,
        jobId,
        upstreamId: upstream.row.jobId,
        onFailure,
      })),
    );
    return { workflow: this.row, steps: this.steps.map(({ row }) => row), edges };
  }
}
