import { SubmitWorkflowResponseSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { collectPairs } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { workflowExitCode } from "./describe.ts";
import { readWorkflow } from "./file.ts";
import { requireWorkflow } from "./require-workflow.ts";
import { watchWorkflow } from "./watch-to-end.ts";

type Options = ClientOptions & {
  readonly name?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly requestId?: string;
  readonly workflowId?: string;
  readonly validateOnly?: boolean;
  readonly watch?: boolean;
};

const submit = async (file: string, options: Options, shell: Shell): Promise<ExitCode> => {
  const read = await readWorkflow(file, shell);
  const request = {
    ...read,
    name: options.name ?? read.name,
    labels: { ...read.labels, ...options.label },
    requestId: options.requestId ?? "",
    workflowId: options.workflowId ?? "",
    validateOnly: options.validateOnly === true,
  };
  return await withConnection(options, shell, async ({ jobs }) => {
    const answer = await jobs.submitWorkflow(request, { signal: shell.signal });
    if (options.output === "json" && options.watch !== true) {
      printLine(shell.stdout, jsonLine(SubmitWorkflowResponseSchema, answer));
      return EXIT.ok;
    }
    if (request.validateOnly) {
      printLine(shell.stdout, "The workflow is valid. Nothing was created.");
      return EXIT.ok;
    }
    const { id } = requireWorkflow(answer);
    if (options.watch === true) {
      if (options.output === "text") printLine(shell.stderr, `Workflow ${id} is accepted.`);
      return workflowExitCode(await watchWorkflow(jobs, id, options.output, shell));
    }
    printLine(shell.stdout, id);
    return EXIT.ok;
  });
};

export const registerSubmit: Register = (parent, shell, act) => {
  const command = parent
    .command("submit")
    .description("Submits a workflow and prints its id, once all of it is durable.")
    .argument("<file>", "YAML or JSON: name, labels, steps (- for stdin)")
    .option("--name <text>", "a name for people, instead of that of the file")
    .option("--label <key=value>", "a label; repeatable", collectPairs)
    .option("--request-id <id>", "the same id with the same content is the same workflow")
    .option("--workflow-id <uuid>", "an id of your own choice: a UUIDv7")
    .option("--validate-only", "check everything, create nothing")
    .option("--watch", "show it while it runs")
    .action(act(async (file: string, options: Options) => await submit(file, options, shell)));
  addExamples(
    addClientOptions(command),
    "millrace workflow submit report.yaml --watch",
    "millrace workflow submit report.yaml --label month=2026-11 --request-id report-2026-11",
  );
};
