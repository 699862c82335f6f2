import { WorkflowSchema } from "../../gen/millrace/v1/workflow_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { workflowOutcome } from "./describe.ts";
import { requireWorkflow } from "./require-workflow.ts";

type CancelOptions = ClientOptions & { readonly reason?: string };

export const registerCancel: Register = (parent, shell, act) => {
  const command = parent
    .command("cancel")
    .description("Ends what has not ended of a workflow. Running attempts are stopped first.")
    .argument("<workflow>", "the id of the workflow")
    .option("--reason <text>", "shown with the workflow and its jobs")
    .action(
      act(
        async (workflowId: string, options: CancelOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const request = { workflowId, reason: options.reason ?? "" };
            const { signal } = shell;
            const workflow = requireWorkflow(await jobs.cancelWorkflow(request, { signal }));
            printLine(
              shell.stdout,
              options.output === "json"
                ? jsonLine(WorkflowSchema, workflow)
                : workflowOutcome(workflow, shell.clock.now()),
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(
    addClientOptions(command),
    'millrace workflow cancel $WORKFLOW --reason "wrong year"',
  );
};

export const registerRetry: Register = (parent, shell, act) => {
  const command = parent
    .command("retry")
    .description("Gives every failed step another attempt, and revives what they had blocked.")
    .argument("<workflow>", "the id of the workflow")
    .action(
      act(
        async (workflowId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const { signal } = shell;
            const workflow = requireWorkflow(await jobs.retryWorkflow({ workflowId }, { signal }));
            printLine(
              shell.stdout,
              options.output === "json"
                ? jsonLine(WorkflowSchema, workflow)
                : workflowOutcome(workflow, shell.clock.now()),
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace workflow retry $WORKFLOW");
};
