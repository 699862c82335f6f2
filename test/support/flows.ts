/** Workflows through the public API, and a runner that does their steps as a test says. */
import { fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";

import { stateName } from "../../src/cli/job/describe.ts";
import { workflowStateName } from "../../src/cli/workflow/describe.ts";
import { type Job, type JobSpecSchema, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import type { GetWorkflowResponse } from "../../src/gen/millrace/v1/job_service_pb.ts";
import {
  UpstreamFailurePolicy,
  WorkflowState,
  type WorkflowStepSchema,
} from "../../src/gen/millrace/v1/workflow_pb.ts";
import { createHandRunner } from "./hand-runner.ts";
import type { TestServer } from "./server.ts";

export type StepInit = MessageInitShape<typeof WorkflowStepSchema>;

/** What the steps of these workflows run: a handler that the tests' own runner has. */
export const WORK = "work";

type Facts = {
  readonly input?: JsonValue;
  /** Names of steps; with a `!` behind it: whatever becomes of that one. */
  readonly after?: readonly string[];
  readonly spec?: MessageInitShape<typeof JobSpecSchema>;
};

export const aStep = (
  name: string,
  { input = null, after = [], spec = {} }: Facts = {},
): StepInit => ({
  name,
  spec: { work: { case: "type", value: WORK }, input: fromJson(ValueSchema, input), ...spec },
  after: after.map((tie) =>
    tie.endsWith("!")
      ? { step: tie.slice(0, -1), onFailure: UpstreamFailurePolicy.RUN }
      : { step: tie },
  ),
});

/** What a step does with its input: its result, or `failed(…)`. */
type Done = JsonValue | Failed;
export type Doing = (input: JsonValue) => Done | Promise<Done>;
class Failed {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}
export const failed = (message = "on purpose"): Failed => new Failed(message);

export type Flows = {
  readonly jobs: TestServer["jobs"];
  submit(...steps: StepInit[]): Promise<string>;
  get(id: string): Promise<GetWorkflowResponse>;
  /** Its steps, by name. */
  jobsOf(id: string): Promise<Map<string, Job>>;
  /** `a SUCCEEDED, b FAILED`, in the order of the request. */
  statesOf(id: string): Promise<string>;
  /** Does steps until it has ended. Answers with what was done, in that order: name and input. */
  run(id: string, doing?: Readonly<Record<string, Doing>>): Promise<[string, JsonValue][]>;
  /** `SUCCEEDED`, and so on. */
  stateOf(id: string): Promise<string>;
};

export const createFlows = (server: TestServer, jobs = server.jobs): Flows => {
  const runner = createHandRunner(server, { slots: 10, capabilities: [`handler:${WORK}`] });
  const get: Flows["get"] = async (workflowId) => await jobs.getWorkflow({ workflowId });
  const stepsOf = async (id: string): Promise<Map<string, string>> => {
    const { nodes } = await get(id);
    return new Map(nodes.map(({ name, job }) => [job?.id ?? "", name]));
  };
  const stateOf: Flows["stateOf"] = async (id) =>
    workflowStateName((await get(id)).workflow?.state ?? WorkflowState.UNSPECIFIED);

  return {
    jobs,
    get,
    stateOf,
    submit: async (...steps) => (await jobs.submitWorkflow({ steps })).workflow?.id ?? "",
    jobsOf: async (id) => {
      const { nodes } = await get(id);
      return new Map(nodes.flatMap(({ name, job }) => (job === undefined ? [] : [[name, job]])));
    },
    statesOf: async (id) => {
      const { nodes } = await get(id);
      return nodes
        .map(({ name, job }) => `${name} ${stateName(job?.state ?? JobState.UNSPECIFIED)}`)
        .join(", ");
    },
    run: async (id, doing = {}) => {
      const names = await stepsOf(id);
      const done: [string, JsonValue][] = [];
      while ((await stateOf(id)) === "RUNNING") {
        const assignment = await runner.take();
        const name = names.get(assignment.attempt?.jobId ?? "") ?? "of another workflow";
        const input = JSON.parse(assignment.inputJson) as JsonValue;
        done.push([name, input]);
        const outcome = (await doing[name]?.(input)) ?? null;
        if (outcome instanceof Failed) await runner.fail(assignment, outcome.message);
        else await runner.succeed(assignment, JSON.stringify(outcome));
      }
      return done;
    },
  };
};
