import { create } from "@bufbuild/protobuf";

import {
  SubmitJobRequestSchema,
  type SubmitWorkflowRequest,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { WorkflowSubmission } from "../../jobs/workflow-submission.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { admitWorkflow, checkWorkflow, type CheckedWorkflow } from "../convert/workflow.ts";
import { toWorkflowSubmission } from "../convert/workflow-rows.ts";
import type { Call } from "./api.ts";
import { prepareAllFor, submitterOf, type Wanted } from "./prepare.ts";

/** The step as a job of its own, with the labels of the workflow that it does not set itself. */
const wantedOf = (
  { steps, requestId, validateOnly }: SubmitWorkflowRequest,
  { labels, steps: checked }: CheckedWorkflow,
): Wanted[] =>
  checked.map(({ bound }, index) => {
    const spec = steps[index]?.spec;
    const request = create(
      SubmitJobRequestSchema,
      spec === undefined ? {} : { spec: { ...spec, labels: { ...labels, ...spec.labels } } },
    );
    const named = requestId !== "" && !validateOnly;
    return { request, at: `steps[${index}].`, named, bound };
  });

/** A step that comes when another is there would be lost with all that waits for it. */
const checkPolicy = (faults: Faults, { job }: Submission, at: string): void => {
  if (job.concurrencyPolicy !== "REJECT") return;
  const why = "must be QUEUE in a workflow; it is REJECT, by the step or by its type.";
  faults.add(`${at}spec.concurrency_policy`, why);
};

/** A refusal that is of no field, with the step that it is about. */
const inStep = ({ reason, message, metadata, cause }: JobFault, step: string): JobFault =>
  new JobFault(reason, `Step ${step}: ${message}`, { metadata: { ...metadata, step }, cause });

/**
 * All checks of a workflow and of every step in it.
 * @throws JobFault INVALID_ARGUMENT, NOT_SUPPORTED with the path of every fault; PERMISSION_DENIED,
 *   JOB_TYPE_NOT_FOUND, JOB_TYPE_DISABLED of the first step
 */
export const prepareWorkflow = async (
  call: Call,
  request: SubmitWorkflowRequest,
): Promise<WorkflowSubmission> => {
  admitWorkflow(request);
  const faults = collectFaults();
  const checked = checkWorkflow(faults, request);
  const submitter = submitterOf(call);
  const wanted = wantedOf(request, checked);
  const prepared = await prepareAllFor(call.api, submitter, wanted);
  const refusals: JobFault[] = [];
  const jobs: Submission[] = [];
  for (const [index, one] of prepared.entries()) {
    if (!(one instanceof JobFault)) {
      checkPolicy(faults, one, wanted[index]?.at ?? "");
      jobs.push(one);
    } else if (one.faults.length === 0) {
      refusals.push(inStep(one, checked.steps[index]?.name ?? ""));
    } else {
      const note = one.reason === "NOT_SUPPORTED" ? faults.unsupported : faults.add;
      for (const { field, description } of one.faults) note(field, description);
    }
  }
  faults.throwIfAny();
  const [refusal] = refusals;
  if (refusal !== undefined) throw refusal;
  const { clock, newId } = call.api;
  return toWorkflowSubmission(request, checked, jobs, { ...submitter, now: clock.now(), newId });
};
