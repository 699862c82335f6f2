/** Workflows for tests, told as graphs. */
import { SERVER } from "../../src/jobs/audit.ts";
import type { OrganizationId, WorkflowId } from "../../src/jobs/ids.ts";
import type { JobRow, JsonText, RequestRow } from "../../src/jobs/job.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import { type Binding, freshWorkflow } from "../../src/jobs/workflow.ts";
import type { WorkflowSubmission } from "../../src/jobs/workflow-submission.ts";
import { aJobId, aJobRow, aSpecRow } from "./job-row.ts";

type SomeBinding = Partial<Omit<Binding, "upstreamId">> & Pick<Binding, "step">;

export type SomeStep = {
  /** Names of steps; with `?` at the end it runs whatever becomes of that one. */
  readonly after?: readonly string[];
  readonly job?: Partial<JobRow>;
  readonly input?: JsonText;
  /** Each is to be a tie too. */
  readonly bindings?: readonly SomeBinding[];
  readonly submission?: Partial<Submission>;
};

export type Graph = Readonly<Record<string, SomeStep>>;

/** A workflow of `acme` whose jobs are called as their steps are. */
export const aWorkflow = (
  graph: Graph,
  facts: { readonly request?: string; readonly fingerprint?: string } & Partial<
    Pick<WorkflowSubmission, "idIsChosen">
  > = {},
): WorkflowSubmission => {
  const id = aJobId() as string as WorkflowId;
  const organizationId = "acme" as OrganizationId;
  const names = Object.keys(graph);
  const jobs = new Map(
    names.map((name) => {
      const given = graph[name]?.job ?? {};
      return [name, aJobRow({ name, workflowId: id, stepName: name, ...given })];
    }),
  );
  const idOf = (name: string): JobRow["id"] => {
    const job = jobs.get(name);
    if (job === undefined) throw new Error(`there is no step ${name}`);
    return job.id;
  };
  const request: RequestRow | null =
    facts.request === undefined
      ? null
      : {
          organizationId,
          requestId: facts.request,
          jobId: id as string as JobRow["id"],
          fingerprint: facts.fingerprint ?? "",
          createdAt: 0,
        };
  return {
    workflow: freshWorkflow({
      organizationId,
      id,
      name: "",
      labels: {},
      creatorId: "",
      requestId: facts.request ?? "",
      stepCount: names.length,
      createdAt: 0,
    }),
    idIsChosen: facts.idIsChosen ?? false,
    steps: [...jobs].map(([name, job], position) => {
      const { input = "null", bindings = [], submission = {} } = graph[name] ?? {};
      const spec = {
        ...aSpecRow(job),
        input,
        bindings: bindings.length === 0 ? "" : JSON.stringify(bindings.map((one) => bind(one))),
      };
      return {
        step: { organizationId, workflowId: id, position, name, jobId: job.id },
        submission: {
          idIsChosen: false,
          job,
          spec,
          script: null,
          request: null,
          deferred: false,
          refusal: null,
          by: SERVER,
          ...submission,
        },
      };
    }),
    edges: names.flatMap((name) =>
      (graph[name]?.after ?? []).map((upstream) => ({
        organizationId,
        workflowId: id,
        jobId: idOf(name),
        upstreamId: idOf(upstream.replace("?", "")),
        onFailure: upstream.endsWith("?") ? ("RUN" as const) : ("CANCEL" as const),
      })),
    ),
    request,
    by: SERVER,
  };

  function bind(some: SomeBinding): Binding {
    return {
      path: [],
      of: "result",
      pointer: "",
      fallback: null,
      ...some,
      upstreamId: idOf(some.step),
    };
  }
};
