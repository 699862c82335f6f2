import type { JobId, OrganizationId } from "../../src/jobs/ids.ts";
import type { AttemptRow, JobRow, SpecRow } from "../../src/jobs/job.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import type { Binding, EdgeRow, WorkflowRow } from "../../src/jobs/workflow.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";

type Known = {
  row: WorkflowRow;
  readonly jobs: readonly JobId[];
  readonly edges: readonly EdgeRow[];
};

type Facts = {
  readonly before: ReadonlyMap<string, JobRow>;
  readonly jobs: ReadonlyMap<string, JobRow>;
  readonly attempts: ReadonlyMap<string, AttemptRow>;
  /** Jobs whose end has not come to all that wait for them. */
  readonly unsettled: ReadonlySet<string>;
};

const waits = (state: JobRow["state"] | undefined): boolean =>
  state === "HELD" || state === "BLOCKED";

/** Workflows, commit by commit. */
export class WorkflowLedger {
  readonly workflows = new Map<string, Known>();
  /** Every one that ever was, with its organization. */
  readonly wereThere = new Map<string, OrganizationId>();
  /** The input of every attempt that began, by its job and number; null if it cannot be told. */
  readonly #inputs = new Map<string, string | null>();
  readonly #specs = new Map<string, SpecRow>();

  /** Before the other changes, and after those of jobs that go: workflows that go. */
  purged({ purgedWorkflows, retired }: ShardChanges, jobs: ReadonlyMap<string, JobRow>): void {
    const going = new Set<string>(purgedWorkflows.flatMap(({ id }) => this.#jobsOf(id)));
    for (const { id } of retired) {
      if (!going.has(id)) broken("a workflow is removed whole or not at all", { id });
    }
    for (const { id } of purgedWorkflows) {
      const left = this.workflows.get(id)?.jobs.filter((job) => jobs.has(job));
      if (left === undefined) return broken("only known jobs are removed", { id });
      if (left.length > 0) broken("a workflow is removed whole or not at all", { id, left });
      this.workflows.delete(id);
    }
  }

  /** When a job may be removed. */
  purgeAt(row: JobRow): number | null {
    if (row.workflowId === "") return row.purgeAt;
    return this.workflows.get(row.workflowId)?.row.purgeAt ?? null;
  }

  /** After the changes; `before` holds the rows of the jobs that changed as they were. */
  committed(changes: ShardChanges, facts: Facts): void {
    for (const spec of changes.specs) this.#specs.set(spec.id, spec);
    this.#create(changes);
    for (const row of changes.workflows) {
      const known = this.workflows.get(row.id);
      if (known !== undefined) known.row = row;
    }
    const touched = new Set(changes.workflows.map(({ id }) => id as string));
    const all = [...changes.inserted, ...changes.updated];
    for (const row of all) {
      if (row.workflowId === "") continue;
      touched.add(row.workflowId);
      this.#checkStep(row, changes, facts);
    }
    for (const id of touched) this.#checkWorkflow(id, facts);
  }

  /** @throws Broken if the input is not made of exactly what the upstreams came to */
  checkInput(key: string, input: string): void {
    const expected = this.#inputs.get(key) ?? null;
    if (expected !== null && expected !== input) {
      broken("a step gets exactly the results of its upstreams", { key, input, expected });
    }
  }

  #jobsOf(id: string): readonly JobId[] {
    return this.workflows.get(id)?.jobs ?? [];
  }

  #create({ workflows, workflowSteps, edges, inserted }: ShardChanges): void {
    const made = new Map(inserted.map((row) => [row.id, row]));
    for (const [id, steps] of Map.groupBy(workflowSteps, ({ workflowId }) => workflowId)) {
      const row = workflows.find((one) => one.id === id);
      const jobs = steps.map(({ jobId }) => jobId);
      const isWhole =
        row?.stepCount === steps.length && jobs.every((job) => made.get(job)?.workflowId === id);
      if (!isWhole || row === undefined) {
        return broken("a workflow is created whole or not at all", { id, jobs });
      }
      const own = edges.filter(({ workflowId }) => workflowId === id);
      this.workflows.set(id, { row, jobs, edges: own });
      this.wereThere.set(id, row.organizationId);
    }
    for (const { id, workflowId } of inserted) {
      if (workflowId !== "" && !this.workflows.has(workflowId)) {
        broken("a workflow is created whole or not at all", { id, workflowId });
      }
    }
  }

  #checkStep(row: JobRow, changes: ShardChanges, facts: Facts): void {
    const { id, state, attempt } = row;
    const old = facts.before.get(id);
    const ties = this.#tiesOf(row);
    const goesOn = hasEnded(state) ? attempt > (old?.attempt ?? 0) : !waits(state);
    if (goesOn && (old === undefined || waits(old.state) || hasEnded(old.state))) {
      for (const { upstreamId, onFailure } of ties) {
        const upstream = facts.jobs.get(upstreamId);
        if (upstream === undefined || this.#wasRetried(upstream, changes, facts)) continue;
        const allows = upstream.state === "SUCCEEDED" || onFailure === "RUN";
        if (hasEnded(upstream.state) && allows) continue;
        broken("a step runs only after its upstreams ended", { id, state, upstream });
      }
    }
    if (attempt > (old?.attempt ?? 0)) this.#checkStart(row, ties, changes, facts);
    if (state === "RUNNING" && (old?.state !== "RUNNING" || old.attempt !== attempt)) {
      this.#inputs.set(`${id}/${attempt}/${row.leaseToken}`, this.#inputOf(id, facts));
    }
    if (row.blockedBy === "" || old?.blockedBy === row.blockedBy) return;
    const blocks = ({ upstreamId, onFailure }: EdgeRow): boolean => {
      const job = facts.jobs.get(upstreamId);
      if (job?.stepName !== row.blockedBy || onFailure !== "CANCEL") return false;
      const isLost = job.state === "FAILED" || job.state === "CANCELLED";
      return isLost || this.#wasRetried(job, changes, facts);
    };
    if (!ties.some(blocks)) {
      broken("a dependent is cancelled exactly if its policy says so", { id, by: row.blockedBy });
    }
  }

  /** No attempt starts while an upstream is given another one. */
  #checkStart(
    { id, attempt }: JobRow,
    ties: readonly EdgeRow[],
    changes: ShardChanges,
    facts: Facts,
  ): void {
    for (const { upstreamId } of ties) {
      const upstream = facts.jobs.get(upstreamId);
      if (upstream === undefined || hasEnded(upstream.state)) continue;
      if (this.#wasRetried(upstream, changes, facts)) continue;
      broken("a step runs only after its upstreams ended", { id, attempt, upstreamId });
    }
  }

  /** It had ended, and in this very commit somebody gave it another attempt. */
  #wasRetried(row: JobRow, { attempts }: ShardChanges, { before }: Facts): boolean {
    if (hasEnded(row.state)) return false;
    const old = before.get(row.id);
    if (old === undefined) return false;
    const failed = attempts.some(({ jobId, outcome }) => jobId === row.id && outcome === "FAILED");
    return hasEnded(old.state) || (failed && row.state !== "RETRYING");
  }

  #checkWorkflow(id: string, { jobs, unsettled }: Facts): void {
    const known = this.workflows.get(id);
    if (known === undefined) return;
    const rows = known.jobs.map((job) => jobs.get(job)).filter((job) => job !== undefined);
    if (rows.length < known.jobs.length) return;
    const { row } = known;
    const ended = rows.every(({ state }) => hasEnded(state));
    if (ended !== (row.endedAt !== null) || ended !== (row.purgeAt !== null)) {
      broken("a workflow ends exactly when its steps have", { row });
    }
    const unanswered = (job: JobRow): boolean => {
      const before = known.edges.filter(({ upstreamId }) => upstreamId === job.id);
      return before.length === 0 || before.some(({ onFailure }) => onFailure === "CANCEL");
    };
    const inState = (state: JobRow["state"]): JobRow[] => rows.filter((job) => job.state === state);
    const failed = inState("FAILED").some(unanswered);
    const cancelled = inState("CANCELLED").some((job) => job.blockedBy === "" && unanswered(job));
    const endState = failed ? "FAILED" : cancelled ? "CANCELLED" : "SUCCEEDED";
    const expected = {
      state: ended ? endState : "RUNNING",
      succeeded: inState("SUCCEEDED").length,
      failed: inState("FAILED").length,
      cancelled: inState("CANCELLED").length,
    };
    const { state, succeeded } = row;
    const shown = { state, succeeded, failed: row.failed, cancelled: row.cancelled };
    if (JSON.stringify(shown) !== JSON.stringify(expected)) {
      broken("a workflow's counts are those of its jobs", { id, shown, expected });
    }
    for (const { jobId, upstreamId, onFailure } of known.edges) {
      const upstream = jobs.get(upstreamId)?.state;
      const isLate = onFailure === "CANCEL" && (upstream === "FAILED" || upstream === "CANCELLED");
      if (isLate && !unsettled.has(upstreamId) && waits(jobs.get(jobId)?.state)) {
        broken("a dependent is cancelled exactly if its policy says so", { jobId, upstreamId });
      }
    }
  }

  #tiesOf({ id, workflowId }: JobRow): readonly EdgeRow[] {
    return this.workflows.get(workflowId)?.edges.filter(({ jobId }) => jobId === id) ?? [];
  }

  #inputOf(id: JobId, { jobs, attempts }: Facts): string | null {
    const spec = this.#specs.get(id);
    if (spec === undefined || spec.bindings === "") return spec?.input ?? null;
    const bindings = JSON.parse(spec.bindings) as Binding[];
    const input: Record<string, unknown> = {};
    for (const { step, upstreamId, of, pointer, fallback } of bindings) {
      const row = jobs.get(upstreamId);
      // Retried since it let this one go on: what it comes to now is nobody's promise.
      if (row === undefined || !hasEnded(row.state)) return null;
      const result = attempts.get(`${upstreamId}/${row.attempt}`)?.result ?? null;
      const errors = {
        SUCCEEDED: null,
        FAILED: row.error && { code: row.error.code, message: row.error.message },
        CANCELLED: { code: "cancelled", message: row.cancelReason },
      };
      const error = errors[row.state as keyof typeof errors];
      const text = of === "error" ? JSON.stringify(error) : result;
      const found = pointer === "" ? (text ?? fallback) : fallback;
      if (found === null) {
        return broken("a step gets exactly the results of its upstreams", { id, step });
      }
      input[step] = JSON.parse(found);
    }
    return JSON.stringify(input);
  }
}
