import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { JobError, JobRow } from "../../src/jobs/job.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import type { WorkflowRow } from "../../src/jobs/workflow.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { refOf } from "../../src/shard/commands/reconcile.ts";
import { report } from "../../src/shard/commands/report.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import {
  cancelWorkflow,
  retryWorkflow,
  submitWorkflow,
} from "../../src/shard/commands/workflow.ts";
import { stateOf } from "../../src/shard/load.ts";
import type { ShardState } from "../../src/shard/state.ts";
import type { ShardChanges, WorkflowRows } from "../../src/store/store.ts";
import type { Graph } from "../support/workflow.ts";
import { aWorkflow } from "../support/workflow.ts";
import { acme, Shard, someLimits } from "./harness.ts";

export const refused = (outcome: unknown): string =>
  outcome instanceof JobFault ? `${outcome.reason}: ${outcome.message}` : "accepted";

const failure = (facts: Partial<JobError> = {}): JobError => ({
  code: "boom",
  message: "it broke",
  stack: "",
  retryable: false,
  ...facts,
});

/** A shard with one workflow, and all of its rows as they would be stored. */
export class Flow {
  readonly shard: Shard;
  readonly submission: ReturnType<typeof aWorkflow>;
  readonly jobs = new Map<string, JobRow>();
  rows: WorkflowRows;
  /** Names of the steps that the newest turn started. */
  started: string[] = [];
  changes: ShardChanges | null = null;

  constructor(graph: Graph, limits: Parameters<typeof someLimits>[0] = {}, slots = 100) {
    this.shard = new Shard({ maxRunning: 100, ...limits });
    this.shard.offer(slots);
    this.submission = aWorkflow(graph);
    const { workflow, steps, edges } = this.submission;
    this.rows = { workflow, steps: steps.map(({ step }) => step), edges };
    const outcome = this.do(submitWorkflow(this.submission));
    if (outcome instanceof JobFault) throw outcome;
  }

  get workflow(): WorkflowRow {
    return this.rows.workflow;
  }

  get states(): Record<string, string> {
    return Object.fromEntries([...this.jobs].map(([name, { state }]) => [name, state]));
  }

  job(name: string): JobRow {
    const job = this.jobs.get(name);
    if (job === undefined) throw new Error(`there is no job ${name}`);
    return job;
  }

  do<Outcome>(command: Command<Outcome>): Outcome {
    const jobs = [...this.jobs.values()].filter(({ state }) => hasEnded(state));
    const isActive = this.workflow.endedAt === null && this.changes !== null;
    const cold = { jobs, workflows: isActive || this.changes === null ? [] : [this.rows] };
    const { outcome, turn, placements } = this.shard.do(command, cold);
    this.changes = turn.changes();
    for (const row of [...this.changes.inserted, ...this.changes.updated]) {
      this.jobs.set(row.name, row);
    }
    for (const workflow of this.changes.workflows) this.rows = { ...this.rows, workflow };
    this.started = placements.map(({ job }) => job.row.name);
    return outcome;
  }

  end(...names: readonly string[]): void {
    this.do(report(names.map((name) => this.#ending(name, { kind: "succeeded", result: "1" }))));
  }

  fail(name: string, error: Partial<JobError> = {}): void {
    this.do(report([this.#ending(name, { kind: "failed", error: failure(error) })]));
  }

  cancel(name: string): void {
    this.do(cancel(acme, this.job(name).id, { reason: "enough", by: SERVER }));
  }

  retry(name: string) {
    return this.do(retry(acme, this.job(name).id, SERVER));
  }

  cancelAll() {
    return this.do(cancelWorkflow(acme, this.workflow.id, { reason: "all", by: SERVER }));
  }

  retryAll() {
    return this.do(retryWorkflow(acme, this.workflow.id, SERVER));
  }

  /** What a new owner makes of the stored rows. */
  async reloaded(): Promise<ShardState> {
    return await stateOf(
      {
        epoch: 1,
        revision: 1,
        jobs: [...this.jobs.values()].filter(({ state }) => !hasEnded(state)),
        organizations: [someLimits()],
        ...{ metricsClosedUntil: 0, unsettled: [], untold: new Map() },
        workflows: this.workflow.endedAt === null ? [this.rows] : [],
      },
      async () => {},
    );
  }

  #ending(
    name: string,
    ending: { kind: "succeeded"; result: string } | { kind: "failed"; error: JobError },
  ) {
    const job = this.shard.state.find(acme, this.job(name).id);
    const ref = job === undefined ? null : refOf(job);
    if (ref === null) throw new Error(`${name} does not run`);
    const seq = (job?.row.reportSeq ?? 0) + 1;
    const used = { cpuMs: 1, peakMemoryBytes: 1 };
    return { ref, seq, progress: null, output: [], steps: [], ending: { ...ending, ...used } };
  }
}

/** How many each step that has not ended waits for, by name. */
export const waitsOf = (state: ShardState): Record<string, number> =>
  Object.fromEntries(
    [...state.workflows].flatMap(({ steps }) =>
      steps
        .filter(({ row }) => state.find(row.organizationId, row.jobId) !== undefined)
        .map(({ row, waits }) => [row.name, waits]),
    ),
  );
