import { timestampMs } from "@bufbuild/protobuf/wkt";
import { InvalidArgumentError } from "commander";

import {
  GetWorkflowResponseSchema,
  ListWorkflowsResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { type Workflow, WorkflowState } from "../../gen/millrace/v1/workflow_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { durationText } from "../job/describe.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { countsText, workflowExitCode, workflowStateName } from "./describe.ts";
import { printGraph } from "./graph-text.ts";
import { watchWorkflow } from "./watch-to-end.ts";

type GetOptions = ClientOptions & { readonly all?: boolean };

export const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows a workflow: its steps in layers, each with its state and its ties.")
    .argument("<workflow>", "the id of the workflow")
    .option("--all", "also the steps of a layer that are only counted otherwise")
    .action(
      act(
        async (workflowId: string, options: GetOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const whole = await jobs.getWorkflow({ workflowId }, { signal: shell.signal });
            if (options.output === "json") {
              printLine(shell.stdout, jsonLine(GetWorkflowResponseSchema, whole));
            } else {
              printGraph(whole, shell, options.all === true ? Number.POSITIVE_INFINITY : undefined);
            }
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace workflow get $WORKFLOW");
};

export const registerWatch: Register = (parent, shell, act) => {
  const command = parent
    .command("watch")
    .description("Shows a workflow while it runs. The exit code tells how it ended.")
    .argument("<workflow>", "the id of the workflow")
    .action(
      act(
        async (workflowId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs }) =>
            workflowExitCode(await watchWorkflow(jobs, workflowId, options.output, shell)),
          ),
      ),
    );
  addExamples(
    addClientOptions(command),
    "millrace workflow watch $WORKFLOW",
    "millrace workflow watch $WORKFLOW --output json | jq -c '.jobs[] | [.stepName, .state]'",
  );
};

type ListOptions = ClientOptions &
  PageOptions & {
    readonly state?: readonly WorkflowState[];
  };

const STATES: ReadonlyMap<string, WorkflowState> = new Map(
  Object.entries(WorkflowState).filter(([, state]) => state !== WorkflowState.UNSPECIFIED),
);

const collectState = (text: string, before: readonly WorkflowState[] = []): WorkflowState[] => {
  const state = STATES.get(text.toUpperCase());
  if (state === undefined) {
    throw new InvalidArgumentError(`It is one of ${[...STATES.keys()].join(", ")}.`);
  }
  return [...before, state];
};

const HEADING = ["WORKFLOW", "STATE", "NAME", "AGE", "STEPS"];

const row =
  (now: number) =>
  (workflow: Workflow): readonly string[] => [
    workflow.id,
    workflowStateName(workflow.state),
    workflow.name,
    workflow.createTime === undefined ? "" : durationText(now - timestampMs(workflow.createTime)),
    countsText(workflow),
  ];

const list = async (options: ListOptions, shell: Shell) =>
  await withConnection(options, shell, async ({ jobs }) => {
    const request = {
      states: [...(options.state ?? [])],
      ...pageOf(options),
    };
    const answer = await jobs.listWorkflows(request, { signal: shell.signal });
    const rows = answer.workflows.map(row(shell.clock.now()));
    printPage(shell, options, {
      schema: ListWorkflowsResponseSchema,
      answer,
      heading: HEADING,
      rows,
    });
    return EXIT.ok;
  });

export const registerList: Register = (parent, shell, act) => {
  const command = addPageOptions(
    parent
      .command("list")
      .description("Lists workflows, newest first.")
      .option("--state <state>", "only workflows in this state; may be repeated", collectState),
  ).action(act(async (options: ListOptions) => await list(options, shell)));
  addExamples(addClientOptions(command), "millrace workflow list --state running");
};
