import { JobFault } from "../../jobs/errors.ts";
import type { WorkflowId } from "../../jobs/ids.ts";
import type { JobRow, Millis } from "../../jobs/job.ts";
import { born, bornBlocked, bornHeld, type Patch } from "../../jobs/transitions.ts";
import type { WorkflowSubmission } from "../../jobs/workflow-submission.ts";
import type { WorkflowRows } from "../../store/store.ts";
import { findWorkflow } from "../revival.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";
import { knownRequest, refused, submit, waitsForRelease } from "./submit.ts";

/** Of a step or a tie without its payload. */
const ROW_BYTES = 200;

export type WorkflowSubmitted = {
  readonly rows: WorkflowRows;
  /** By position. */
  readonly jobs: readonly JobRow[];
  /** False if its request was known already. */
  readonly created: boolean;
};

/**
 * Takes in all jobs of a workflow, or none. Refuses with REQUEST_ID_REUSED, WORKFLOW_NOT_FOUND (the
 * workflow of the request has been removed), WORKFLOW_ALREADY_EXISTS, JOB_ALREADY_EXISTS,
 * QUEUE_FULL, and with the refusal of a step.
 */
export const submitWorkflow = (
  submission: WorkflowSubmission,
): Command<WorkflowSubmitted | JobFault> => {
  const { workflow, idIsChosen, steps, edges, request } = submission;
  const { organizationId, id } = workflow;
  const jobs = submit(steps.map((step) => step.submission));
  return {
    weight: jobs.weight + steps.length + edges.length,
    bytes: jobs.bytes + (steps.length + edges.length) * ROW_BYTES,
    want: (state, wanted) => {
      jobs.want(state, wanted);
      if (idIsChosen) wanted.workflows.push({ organizationId, id });
      if (request === null) return;
      const { requestId } = request;
      wanted.requests.push({ organizationId, requestId });
      wanted.whole.push({ organizationId, by: "request", name: requestId });
    },
    apply: (turn) =>
      repeated(turn, submission) ?? whyRefused(turn, submission) ?? accepted(turn, submission),
  };
};

/** The outcome of the submission that this one repeats; null if it is the first of its id. */
const repeated = (
  turn: Turn,
  { request }: WorkflowSubmission,
): WorkflowSubmitted | JobFault | null => {
  const known = knownRequest(turn, request);
  if (known === null || known instanceof JobFault) return known;
  const { organizationId } = known;
  const key = { organizationId, id: known.jobId as string as WorkflowId };
  const workflow = findWorkflow(turn, key);
  const jobs = workflow?.steps.map(({ row }) => turn.row(organizationId, row.jobId)) ?? [null];
  const present = jobs.filter((job) => job !== null);
  if (workflow === null || present.length < jobs.length) {
    return new JobFault("WORKFLOW_NOT_FOUND", "The workflow of this request_id has been removed.", {
      metadata: { request_id: known.requestId },
    });
  }
  return { rows: workflow.rows(), jobs: present, created: false };
};

const whyRefused = (
  turn: Turn,
  { workflow: { organizationId, id }, idIsChosen, steps }: WorkflowSubmission,
): JobFault | null => {
  const key = { organizationId, id };
  if (idIsChosen && findWorkflow(turn, key) !== null) {
    return new JobFault("WORKFLOW_ALREADY_EXISTS", `There is a workflow ${id} already.`, {
      metadata: { workflow_id: id },
    });
  }
  for (const { submission } of steps) {
    const refusal = refused(turn, submission, steps.length - 1);
    if (refusal !== null) return refusal;
  }
  return null;
};

const accepted = (turn: Turn, submission: WorkflowSubmission): WorkflowSubmitted => {
  const { steps, edges, request, by } = submission;
  const workflow = {
    ...submission.workflow,
    revision: turn.revision,
    createdAt: turn.now,
    updatedAt: turn.now,
  };
  const rows = { workflow, steps: steps.map(({ step }) => step), edges };
  const { organizationId, id } = workflow;
  const active = turn.state.workflows.add(rows);
  active.countWaits(() => true);
  let held = 0;
  const jobs = steps.map(({ submission: step }) => {
    const { job, spec, script } = step;
    const isHeld = waitsForRelease(turn, step);
    if (isHeld) held += 1;
    if (script !== null) turn.addScript(script);
    const isBlocked = active.step(job.id).waits > 0;
    return turn.insert({ ...job, ...bornAs(job, isHeld, isBlocked, turn.now) }, spec).row;
  });
  turn.workflows.add(rows);
  turn.audit(organizationId, {
    actor: by,
    action: "workflow.submit",
    subject: id,
    details: JSON.stringify({ steps: steps.length, ...(held > 0 && { held }) }),
  });
  if (request !== null) turn.remember(request);
  return { rows, jobs, created: true };
};

const bornAs = (job: JobRow, isHeld: boolean, isBlocked: boolean, now: Millis): Patch => {
  if (isHeld) return bornHeld(now);
  return isBlocked ? bornBlocked(now) : born(job, now);
};
