import type { GetWorkflowResponse } from "../../gen/millrace/v1/job_service_pb.ts";
import type { Workflow } from "../../gen/millrace/v1/workflow_pb.ts";
import type { Connection } from "../connection.ts";
import type { OutputFormat } from "../options.ts";
import { printLine, type Shell } from "../shell.ts";
import { workflowHasEnded, workflowOutcome } from "./describe.ts";
import { followWorkflow } from "./follow.ts";
import { createGraphView } from "./graph-view.ts";
import { requireWorkflow } from "./require-workflow.ts";

/** Shows a workflow until it has ended, and answers with it. */
export const watchWorkflow = async (
  jobs: Connection["jobs"],
  workflowId: string,
  format: OutputFormat,
  shell: Shell,
): Promise<Workflow> => {
  const start = await jobs.getWorkflow({ workflowId }, { signal: shell.signal });
  const view = createGraphView(format, start, shell);
  let whole: GetWorkflowResponse | null = null;
  try {
    whole = workflowHasEnded(requireWorkflow(start))
      ? start
      : await toEnd(jobs, start, view, shell);
  } finally {
    view.end(whole);
    if (shell.signal.aborted) {
      const again = `\`millrace workflow watch ${workflowId}\` shows it again.`;
      printLine(shell.stderr, `The workflow goes on: ${again}`);
    }
  }
  const workflow = requireWorkflow(whole);
  if (format === "text") printLine(shell.stderr, workflowOutcome(workflow, shell.clock.now()));
  return workflow;
};

const toEnd = async (
  jobs: Connection["jobs"],
  start: GetWorkflowResponse,
  view: ReturnType<typeof createGraphView>,
  shell: Shell,
): Promise<GetWorkflowResponse> => {
  const changes = followWorkflow(
    {
      jobs,
      workflowId: requireWorkflow(start).id,
      clock: shell.clock,
      signal: shell.signal,
      onBreak: (error) => {
        view.note(`The connection broke (${error.rawMessage}); taking it up again …`);
      },
    },
    start.nodes.length,
  );
  let change = await changes.next();
  for (; change.done !== true; change = await changes.next()) view.show(change.value);
  return change.value;
};
