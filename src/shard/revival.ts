import type { JobRow } from "../jobs/job.ts";
import { retryByHand, reviveBlocked } from "../jobs/transitions.ts";
import type { WorkflowKey } from "../store/store.ts";
import type { ActiveWorkflow, Step } from "./active-workflow.ts";
import { counted } from "./ties.ts";
import type { Turn } from "./turn.ts";

/** The workflow of a step, active or not; null for a job on its own. */
export const workflowOf = (
  turn: Turn,
  { organizationId, workflowId }: JobRow,
): ActiveWorkflow | null =>
  workflowId === "" ? null : findWorkflow(turn, { organizationId, id: workflowId });

/** As it stands in this turn; null if there is none, or it had ended and nobody asked for it. */
export const findWorkflow = (turn: Turn, key: WorkflowKey): ActiveWorkflow | null =>
  turn.state.workflows.find(key) ?? turn.workflows.ended(key);

const rowOf = (turn: Turn, { row }: Step): JobRow | null => turn.row(row.organizationId, row.jobId);

const isActive = (turn: Turn, { row }: Step): boolean =>
  turn.state.find(row.organizationId, row.jobId) !== undefined;

/** Ties that cancel the step, as things stand: their upstreams have ended, and not well. */
const obstaclesOf = (turn: Turn, step: Step): number =>
  step.after.filter(
    ({ upstream, onFailure }) =>
      onFailure === "CANCEL" &&
      !isActive(turn, upstream) &&
      rowOf(turn, upstream)?.state !== "SUCCEEDED",
  ).length;

/**
 * The steps that come back to life when these failed ones are retried, by position: they, and those
 * that were cancelled because of them and of nothing else. What somebody cancelled by hand stays
 * cancelled, and so does what that has blocked. Looks at each tie of these steps once or twice.
 */
export const revivedBy = (turn: Turn, failed: readonly Step[]): Step[] => {
  const back = new Set(failed);
  const obstacles = new Map<Step, number>();
  // Grows while it is walked over.
  for (const step of back) {
    for (const { dependent, onFailure } of step.before) {
      if (onFailure === "RUN" || (rowOf(turn, dependent)?.blockedBy ?? "") === "") continue;
      const left = (obstacles.get(dependent) ?? obstaclesOf(turn, dependent)) - 1;
      obstacles.set(dependent, left);
      if (left === 0) back.add(dependent);
    }
  }
  return [...back].sort((a, b) => a.row.position - b.row.position);
};

/**
 * Brings these steps back, and the workflow if it had ended. A step whose upstreams are active, or
 * come back too, is BLOCKED. All that has ended in this turn must have been settled.
 */
export const revive = (turn: Turn, workflow: ActiveWorkflow, steps: readonly Step[]): void => {
  const back = new Set(steps);
  if (workflow.row.endedAt !== null) {
    turn.workflows.revive(workflow);
    turn.state.workflows.restore(workflow);
  }
  workflow.row = {
    ...workflow.row,
    state: "RUNNING",
    endedAt: null,
    purgeAt: null,
    cancelRequestedAt: null,
    cancelReason: "",
    cancelledBy: "",
    revision: turn.revision,
    updatedAt: turn.now,
  };
  const isBlocked = ({ after }: Step): boolean =>
    after.some(({ upstream }) => back.has(upstream) || isActive(turn, upstream));
  const blocked = new Set(steps.filter(isBlocked));
  for (const step of steps) {
    const row = rowOf(turn, step);
    if (row === null) continue;
    workflow.row = { ...workflow.row, ...counted(workflow.row, row, step, -1) };
    const patch =
      row.state === "FAILED" ? retryByHand(row, blocked.has(step), turn.now) : reviveBlocked(row);
    turn.revive(row, patch);
  }
  const { organizationId } = workflow.row;
  workflow.countWaits((id) => turn.state.find(organizationId, id) !== undefined);
  turn.workflows.put(workflow.row);
};
