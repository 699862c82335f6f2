import type { JobRow } from "../jobs/job.ts";
import { hasEnded } from "../jobs/states.ts";
import { cancelBlocked, type Patch, unblock } from "../jobs/transitions.ts";
import type { WorkflowRow } from "../jobs/workflow.ts";
import type { ActiveJob } from "./active-job.ts";
import type { ActiveWorkflow, Step, Tie } from "./active-workflow.ts";
import type { Organization } from "./organization.ts";
import type { Room } from "./settle.ts";
import type { Turn } from "./turn.ts";
import type { Unsettled } from "./unsettled.ts";

/** Counts the ends of steps in their workflows; one whose last step has ended ends too. */
export const countEnds = (turn: Turn, ended: readonly ActiveJob[]): void => {
  const changed = new Map<ActiveWorkflow, Organization>();
  for (const { row, organization } of ended) {
    const workflow = turn.state.workflows.of(row);
    if (workflow === undefined) continue;
    workflow.row = { ...workflow.row, ...counted(workflow.row, row, workflow.step(row.id), 1) };
    changed.set(workflow, organization);
  }
  for (const [workflow, { limits }] of changed) putCounted(turn, workflow, limits.retentionMs);
};

/** The ties to steps that wait for this one; none of a workflow that has ended. */
const tiesOf = (turn: Turn, { job: { row } }: Unsettled): readonly Tie[] =>
  hasEnded(row.state) ? (turn.state.workflows.of(row)?.step(row.id).before ?? []) : [];

export const hasTiesLeft = (turn: Turn, one: Unsettled): boolean =>
  one.tie < tiesOf(turn, one).length;

/**
 * Steps that waited for one that has ended go on, or are cancelled; each that does takes room. False if
 * there was not enough. Looks at nothing but the ties of that step.
 */
export const settleTies = (turn: Turn, one: Unsettled, room: Room): boolean => {
  const ties = tiesOf(turn, one);
  for (const tie of ties.slice(one.tie)) {
    const follows = whatFollows(turn, one.job.row, tie);
    if (follows !== null && room.settled === 0) return false;
    tie.dependent.waits -= 1;
    one.tie += 1;
    if (follows === null) continue;
    room.settled -= 1;
    turn.change(follows.job, follows.patch);
  }
  return true;
};

type Counts = Partial<
  Pick<
    WorkflowRow,
    "succeeded" | "failed" | "cancelled" | "unansweredFailed" | "unansweredCancelled"
  >
>;

/** The counts of the workflow with one more, or one less, step that ended so. */
export const counted = (before: WorkflowRow, job: JobRow, step: Step, change: 1 | -1): Counts => {
  const unanswered = step.isAnswered ? 0 : change;
  switch (job.state) {
    case "SUCCEEDED":
      return { succeeded: before.succeeded + change };
    case "FAILED":
      return {
        failed: before.failed + change,
        unansweredFailed: before.unansweredFailed + unanswered,
      };
    case "CANCELLED":
      return {
        cancelled: before.cancelled + change,
        // One that was blocked follows from another, which counts itself.
        unansweredCancelled: before.unansweredCancelled + (job.blockedBy === "" ? unanswered : 0),
      };
    default:
      return {};
  }
};

/** What the end of an upstream does to a step that waits for it; null: nothing yet, or nothing any more. */
const whatFollows = (
  turn: Turn,
  upstream: JobRow,
  { dependent, onFailure }: Tie,
): { readonly job: ActiveJob; readonly patch: Patch } | null => {
  const job = turn.state.find(upstream.organizationId, dependent.row.jobId);
  // It may have been released by an earlier end of the same step, which was then retried.
  if (job === undefined || (job.row.state !== "BLOCKED" && job.row.state !== "HELD")) return null;
  if (upstream.state !== "SUCCEEDED" && onFailure === "CANCEL") {
    return { job, patch: cancelBlocked(job.row, upstream, turn.now) };
  }
  const isLast = dependent.waits === 1 && job.row.state === "BLOCKED";
  return isLast ? { job, patch: unblock(job.row, turn.now) } : null;
};

const putCounted = (turn: Turn, workflow: ActiveWorkflow, retentionMs: number): void => {
  const { row } = workflow;
  workflow.row = { ...row, revision: turn.revision, updatedAt: turn.now };
  if (row.succeeded + row.failed + row.cancelled === row.stepCount) {
    workflow.row = {
      ...workflow.row,
      state: stateOf(row),
      endedAt: turn.now,
      purgeAt: turn.now + retentionMs,
    };
    turn.state.workflows.remove(row);
    turn.workflows.depart(workflow);
  }
  turn.workflows.put(workflow.row);
};

/** Once all of its steps have ended. */
const stateOf = ({ unansweredFailed, unansweredCancelled }: WorkflowRow): WorkflowRow["state"] => {
  if (unansweredFailed > 0) return "FAILED";
  return unansweredCancelled > 0 ? "CANCELLED" : "SUCCEEDED";
};
