import type { PurgeableWorkflow } from "../../store/store.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/**
 * Removes ended workflows whose time has come, each with all of its jobs at once. The rows of the
 * jobs go later, as those of other jobs do. Answers with how many workflows it removed.
 */
export const purgeWorkflows = (workflows: readonly PurgeableWorkflow[]): Command<number> => ({
  weight: workflows.reduce((rows, { stepCount }) => rows + 1 + 2 * stepCount, 0),
  bytes: 0,
  want: (_state, wanted) => {
    for (const { organizationId, id } of workflows) {
      wanted.whole.push({ organizationId, by: "id", name: id });
    }
  },
  apply: (turn) => workflows.filter((workflow) => remove(turn, workflow)).length,
});

/** Not if it was retried, or has ended again, since it was read. */
const remove = (turn: Turn, { organizationId, id }: PurgeableWorkflow): boolean => {
  const key = { organizationId, id };
  const workflow = turn.state.workflows.find(key) === undefined ? turn.workflows.ended(key) : null;
  const purgeAt = workflow?.row.purgeAt ?? null;
  if (workflow === null || purgeAt === null || purgeAt > turn.now) return false;
  turn.purgeWorkflow(workflow);
  return true;
};
