import type { JobRow } from "../jobs/job.ts";
import { cancelBlocked, unblock } from "../jobs/transitions.ts";
import type { WorkflowRow } from "../jobs/workflow.ts";
import type { ActiveJob } from "./active-job.ts";
import type { ActiveWorkflow, Step, Tie } from "./active-workflow.ts";
import type { Organization } from "./organization.ts";
import type { Turn } from "./turn.ts";

/**
 * What the ends of steps do to their workflows: those that waited for them go on or are cancelled,
 * and a workflow whose last step has ended ends too. Nothing here looks at more than the ties of a
 * step that ended.
 */
export const settleTies = (turn: Turn, ended: readonly ActiveJob[]): void => {
  const changed = new Map<ActiveWorkflow, Organization>();
  for (const { row, organization } of ended) {
    const workflow = turn.state.workflows.of(row);
    if (workflow === undefined) continue;
    const step = workflow.step(row.id);
    workflow.row = { ...workflow.row, ...counted(workflow.row, row, step, 1) };
    changed.set(workflow, organization);
    for (const tie of step.before) settleTie(turn, row, tie);
  }
  for (const [workflow, { limits }] of changed) settleWorkflow(turn, workflow, limits.retentionMs);
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

const settleTie = (turn: Turn, upstream: JobRow, { dependent, onFailure }: Tie): void => {
  dependent.waits -= 1;
  const job = turn.state.find(upstream.organizationId, dependent.row.jobId);
  // It may have been released by an earlier end of the same step, which was then retried.
  if (job === undefined || (job.row.state !== "BLOCKED" && job.row.state !== "HELD")) return;
  if (upstream.state !== "SUCCEEDED" && onFailure === "CANCEL") {
    turn.change(job, cancelBlocked(job.row, upstream, turn.now));
  } else if (dependent.waits === 0 && job.row.state === "BLOCKED") {
    turn.change(job, unblock(job.row, turn.now));
  }
};

const settleWorkflow = (turn: Turn, workflow: ActiveWorkflow, retentionMs: number): void => {
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
