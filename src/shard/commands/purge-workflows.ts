import type { PurgedWorkflow } from "../../store/store.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";
import { type Removal, removeAsRead, rowsOf } from "./purge.ts";

/** What retention takes of a workflow in one commit. */
export type WorkflowRemoval = {
  readonly workflow: PurgedWorkflow;
  readonly jobs: readonly Removal[];
  /** With these jobs nothing is left of it: it goes itself. */
  readonly isLast: boolean;
};

/** Removes ended workflows whose time has come, job by job. Answers with how many jobs it removed. */
export const purgeWorkflows = (removals: readonly WorkflowRemoval[]): Command<number> => ({
  weight: removals.reduce(
    (rows, { jobs }) => jobs.reduce((sum, { job, output }) => sum + rowsOf(job, output), rows + 1),
    0,
  ),
  bytes: 0,
  want: (_state, wanted) => {
    for (const { workflow, jobs } of removals) {
      const { organizationId, id } = workflow;
      wanted.workflowRows.push({ organizationId, id });
      for (const { job } of jobs) wanted.jobs.push({ organizationId, id: job.id });
    }
  },
  apply: (turn) => removals.reduce((count, removal) => count + remove(turn, removal), 0),
});

/** The workflow has to stand as it was read: not retried, not ended again, not made anew. */
const remove = (turn: Turn, { workflow, jobs, isLast }: WorkflowRemoval): number => {
  const row = turn.workflows.coldRow(workflow);
  const isActive = turn.state.workflows.find(workflow) !== undefined;
  if (row === null || isActive || row.revision !== workflow.revision) return 0;
  if (row.purgeAt === null || row.purgeAt > turn.now) return 0;
  const removed = jobs.reduce((count, removal) => count + removeAsRead(turn, removal), 0);
  // The others come again, as they stand by then.
  if (isLast && removed === jobs.length) turn.purgeWorkflow(workflow);
  return removed;
};
