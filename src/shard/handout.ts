import { EXTERNAL_RUNNER, type RunnerId } from "../jobs/ids.ts";
import type { JobError, SpecRow } from "../jobs/job.ts";
import type { Assignment, AttemptRef } from "../jobs/report.ts";
import { end } from "../jobs/transitions.ts";
import type { ColdRows, JobKey } from "../store/store.ts";
import type { ActiveJob } from "./active-job.ts";
import { refOf } from "./commands/reconcile.ts";
import type { Placement } from "./scheduler.ts";
import type { SpecKeeper } from "./spec-keeper.ts";
import { isOnRunner } from "./state.ts";
import type { Turn } from "./turn.ts";

/** What the runners are to be told once the turn is committed. */
export type Handout = {
  readonly assignments: readonly { readonly runnerId: RunnerId; readonly assignment: Assignment }[];
  readonly cancellations: readonly { readonly runnerId: RunnerId; readonly ref: AttemptRef }[];
};

/** Fetches the payloads that are not at hand: those of jobs that have waited for long. */
export const handoutOf = async (
  turn: Turn,
  placed: readonly Placement[],
  kept: SpecKeeper,
  readSpecs: (keys: readonly JobKey[]) => Promise<ColdRows>,
): Promise<Handout> => {
  const placements = placed.filter(({ runnerId }) => runnerId !== EXTERNAL_RUNNER);
  const specs = new Map<string, SpecRow>();
  const missing: JobKey[] = [];
  for (const { job } of placements) {
    const { organizationId, id } = job.row;
    const spec = turn.spec(organizationId, id) ?? kept.find({ organizationId, id });
    if (spec === undefined) missing.push({ organizationId, id });
    else specs.set(`${organizationId}/${id}`, spec);
  }
  if (missing.length > 0) {
    for (const spec of (await readSpecs(missing)).specs) {
      specs.set(`${spec.organizationId}/${spec.id}`, spec);
    }
  }
  return {
    assignments: placements.flatMap(({ job, runnerId }) => {
      const spec = specs.get(`${job.row.organizationId}/${job.row.id}`);
      if (spec !== undefined) {
        return [{ runnerId, assignment: assignmentOf(job, spec, turn.now) }];
      }
      // One damaged job must not stop all others of its shard.
      failDamaged(turn, job);
      return [];
    }),
    cancellations: turn.toStop.flatMap((job) => {
      const ref = refOf(job);
      // The attempt may have ended later in the same turn.
      if (ref === null || job.row.state !== "RUNNING" || !isOnRunner(job.row)) return [];
      return [{ runnerId: job.row.runnerId as RunnerId, ref }];
    }),
  };
};

const DAMAGED: JobError = {
  code: "job.damaged",
  message: "The input of this job is not in the database any more.",
  stack: "",
  retryable: false,
};

const failDamaged = (turn: Turn, job: ActiveJob): void => {
  const failed = { kind: "failed" as const, error: DAMAGED, cpuMs: 0, peakMemoryBytes: 0 };
  const { patch, attempt } = end(job.row, failed, turn.now, 0);
  turn.change(job, patch);
  turn.attempts.push(attempt);
};

const assignmentOf = (job: ActiveJob, spec: SpecRow, now: number): Assignment => {
  const { row } = job;
  const ref = refOf(job);
  if (ref === null) throw new Error(`job ${row.id} was placed without a lease`);
  const untilDeadline = (row.deadlineAt ?? Number.POSITIVE_INFINITY) - now;
  return {
    ref,
    capability: row.capability,
    scriptHash: spec.scriptHash,
    input: spec.input,
    attemptTimeoutMs: Math.max(1, Math.min(row.attemptTimeoutMs, untilDeadline)),
    type: row.type,
    typeVersion: row.typeVersion,
    creatorId: row.creatorId,
    runAs: row.runAs,
    labels: row.labels,
    traceparent: spec.traceparent,
  };
};
