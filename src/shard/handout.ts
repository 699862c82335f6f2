import type { DeliveryRow } from "../jobs/delivery.ts";
import { end } from "../jobs/attempt-end.ts";
import { EXTERNAL_RUNNER, type RunnerId } from "../jobs/ids.ts";
import type { JobError, JsonText, SpecRow } from "../jobs/job.ts";
import type { Assignment, AttemptRef } from "../jobs/report.ts";
import type { ColdRows, ColdWanted } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";
import { boundInputs } from "./bound-inputs.ts";
import { refOf } from "./commands/reconcile.ts";
import type { Placement } from "./scheduler.ts";
import type { SpecKeeper } from "./spec-keeper.ts";
import { isOnRunner } from "./state.ts";
import type { Turn } from "./turn.ts";

/**
 * What the runners are to be told once the turn is committed; of external work, what is to be checked.
 */
export type Handout = {
  readonly assignments: readonly {
    readonly runnerId: RunnerId;
    readonly assignment: Assignment;
    /** Values of other jobs are in its input, which the schema of its type has not seen. */
    readonly toCheck: boolean;
  }[];
  readonly cancellations: readonly { readonly runnerId: RunnerId; readonly ref: AttemptRef }[];
};

/** What is to be told outside once the turn is committed. */
export type Told = Handout & {
  /** Notices that are new, or have changed. */
  readonly deliveries: readonly DeliveryRow[];
};

/**
 * Fetches the payloads that are not at hand: those of jobs that have waited for long; and puts
 * values of other jobs into those that ask for them. A job that cannot have its input has failed.
 */
export const handoutOf = async (
  turn: Turn,
  placed: readonly Placement[],
  kept: SpecKeeper,
  read: (wanted: Partial<ColdWanted>) => Promise<ColdRows>,
): Promise<Handout> => {
  // Whoever does external work asks for its input; but that has to be one.
  const placements = placed.filter(
    ({ job, runnerId }) => runnerId !== EXTERNAL_RUNNER || job.row.workflowId !== "",
  );
  const specs = await specsOf(turn, placements, kept, read);
  const inputs = await boundInputs(turn, specs.values(), read);
  const assignments: Handout["assignments"][number][] = [];
  for (const { job, runnerId } of placements) {
    const spec = specs.get(job);
    const bound = spec && inputs.get(spec);
    // One damaged job must not stop all others of its shard.
    if (spec === undefined) failPlaced(turn, job, DAMAGED);
    else if (bound?.kind === "failed") failPlaced(turn, job, bound.error);
    else {
      const toCheck = bound !== undefined && job.row.type !== "";
      if (runnerId === EXTERNAL_RUNNER && !toCheck) continue;
      const assignment = assignmentOf(job, spec, bound?.input ?? spec.input, turn.now);
      assignments.push({ runnerId, assignment, toCheck });
    }
  }
  return {
    assignments,
    cancellations: turn.toStop.flatMap((job) => {
      const ref = refOf(job);
      // The attempt may have ended later in the same turn.
      if (ref === null || job.row.state !== "RUNNING" || !isOnRunner(job.row)) return [];
      return [{ runnerId: job.row.runnerId as RunnerId, ref }];
    }),
  };
};

const specsOf = async (
  turn: Turn,
  placements: readonly Placement[],
  kept: SpecKeeper,
  read: (wanted: Partial<ColdWanted>) => Promise<ColdRows>,
): Promise<Map<ActiveJob, SpecRow>> => {
  const specs = new Map<ActiveJob, SpecRow>();
  const missing = new Map<string, ActiveJob>();
  for (const { job } of placements) {
    const { organizationId, id } = job.row;
    const spec = turn.spec(organizationId, id) ?? kept.find({ organizationId, id });
    if (spec === undefined) missing.set(`${organizationId}/${id}`, job);
    else specs.set(job, spec);
  }
  if (missing.size === 0) return specs;
  const keys = [...missing.values()].map(({ row: { organizationId, id } }) => ({
    organizationId,
    id,
  }));
  for (const spec of (await read({ specs: keys })).specs) {
    const job = missing.get(`${spec.organizationId}/${spec.id}`);
    if (job !== undefined) specs.set(job, spec);
  }
  return specs;
};

const DAMAGED: JobError = {
  code: "job.damaged",
  message: "The input of this job is not in the database any more.",
  stack: "",
  retryable: false,
};

const failPlaced = (turn: Turn, job: ActiveJob, error: JobError): void => {
  const failed = { kind: "failed" as const, error, cpuMs: 0, peakMemoryBytes: 0 };
  const { patch, attempt } = end(job.row, failed, turn.now, 0);
  turn.change(job, patch);
  turn.attempts.push(attempt);
};

const assignmentOf = (job: ActiveJob, spec: SpecRow, input: JsonText, now: number): Assignment => {
  const { row } = job;
  const ref = refOf(job);
  if (ref === null) throw new Error(`job ${row.id} was placed without a lease`);
  const untilDeadline = (row.deadlineAt ?? Number.POSITIVE_INFINITY) - now;
  return {
    ref,
    capability: row.capability,
    scriptHash: spec.scriptHash,
    input,
    attemptTimeoutMs: Math.max(1, Math.min(row.attemptTimeoutMs, untilDeadline)),
    type: row.type,
    typeVersion: row.typeVersion,
    creatorId: row.creatorId,
    runAs: row.runAs,
    labels: row.labels,
    traceparent: spec.traceparent,
  };
};
