import {
  type SubmitWorkflowRequest,
  SubmitWorkflowRequestSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import type { UserCaller } from "../../identity/caller.ts";
import type { Actor } from "../../jobs/audit.ts";
import type { JobId, WorkflowId } from "../../jobs/ids.ts";
import type { JsonText, Millis, RequestRow } from "../../jobs/job.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { StepSubmission, WorkflowSubmission } from "../../jobs/workflow-submission.ts";
import {
  type Binding,
  type EdgeRow,
  freshWorkflow,
  type WorkflowRow,
} from "../../jobs/workflow.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { CheckedStep, CheckedWorkflow } from "./workflow.ts";

type Context = {
  readonly caller: UserCaller;
  readonly by: Actor;
  readonly now: Millis;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
};

const workflowOf = (
  { requestId }: SubmitWorkflowRequest,
  { name, labels, steps }: CheckedWorkflow,
  id: WorkflowId,
  { caller, now }: Context,
): WorkflowRow =>
  freshWorkflow({
    organizationId: caller.organizationId,
    id,
    name,
    labels,
    creatorId: caller.userId,
    requestId,
    stepCount: steps.length,
    createdAt: now,
  });

const requestOf = (
  request: SubmitWorkflowRequest,
  id: WorkflowId,
  { caller, now }: Context,
): RequestRow | null =>
  request.requestId === ""
    ? null
    : {
        organizationId: caller.organizationId,
        requestId: request.requestId,
        // The list of request ids has one column for whatever they name.
        jobId: id as string as JobId,
        fingerprint: fingerprintOf(SubmitWorkflowRequestSchema, request, caller),
        createdAt: now,
      };

/**
 * The rows that a request asks for.
 * @param jobs the submission of each step, in the order of the request
 */
export const toWorkflowSubmission = (
  request: SubmitWorkflowRequest,
  checked: CheckedWorkflow,
  jobs: readonly Submission[],
  context: Context,
): WorkflowSubmission => {
  const { organizationId } = context.caller;
  const workflowId = (request.workflowId || context.newId()) as WorkflowId;
  const idOf = (step: number): JobId => {
    const submission = jobs[step];
    if (submission === undefined) throw new Error(`step ${step} has no job`);
    return submission.job.id;
  };
  const indexes = new Map(checked.steps.map(({ name }, index) => [name, index]));

  const bindingsOf = ({ bound: { bindings } }: CheckedStep): JsonText => {
    if (bindings.length === 0) return "";
    const resolved = bindings.map(({ at: _at, ...binding }): Binding => ({
      ...binding,
      upstreamId: idOf(indexes.get(binding.step) ?? -1),
    }));
    return JSON.stringify(resolved);
  };
  const stepOf = (submission: Submission, position: number): StepSubmission => {
    const step = checked.steps[position];
    if (step === undefined) throw new Error(`no step ${position} was checked`);
    const { name } = step;
    return {
      step: { organizationId, workflowId, position, name, jobId: submission.job.id },
      submission: {
        ...submission,
        job: { ...submission.job, workflowId, stepName: name },
        spec: { ...submission.spec, bindings: bindingsOf(step) },
      },
    };
  };
  const edges = checked.steps.flatMap(({ ties }, position) =>
    ties.map(({ upstream, onFailure }): EdgeRow => ({
      ...{ organizationId, workflowId, onFailure },
      jobId: idOf(position),
      upstreamId: idOf(upstream),
    })),
  );
  return {
    workflow: workflowOf(request, checked, workflowId, context),
    idIsChosen: request.workflowId !== "",
    steps: jobs.map(stepOf),
    edges,
    request: requestOf(request, workflowId, context),
    by: context.by,
  };
};
