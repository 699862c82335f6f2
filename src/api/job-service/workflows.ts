import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  CancelWorkflowRequest,
  CancelWorkflowResponseSchema,
  GetWorkflowRequest,
  GetWorkflowResponseSchema,
  ListWorkflowsRequest,
  ListWorkflowsResponseSchema,
  RetryWorkflowRequest,
  RetryWorkflowResponseSchema,
  SubmitWorkflowRequest,
  SubmitWorkflowResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { maySeeWorkflow, seesOnly } from "../../identity/caller.ts";
import { workflowNotFound } from "../../jobs/errors.ts";
import { isUuidV7, type WorkflowId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { WorkflowRow } from "../../jobs/workflow.ts";
import {
  cancelWorkflow as cancelCommand,
  retryWorkflow as retryCommand,
  submitWorkflow as submitCommand,
} from "../../shard/commands/workflow.ts";
import { orThrow } from "../../shard/refusals.ts";
import type { WorkflowFilter } from "../../store/store.ts";
import { collectFaults, invalidField } from "../convert/faults.ts";
import { text } from "../convert/fields.ts";
import { checkWorkflowStates } from "../convert/filter.ts";
import { toNodes, toWorkflow } from "../convert/workflow-view.ts";
import { cutPage, openPage, pageSizeOf } from "../page.ts";
import { actorOf, type Call, ownerOf } from "./api.ts";
import { prepareWorkflow } from "./prepare-workflow.ts";

export const submitWorkflow = async (
  call: Call,
  request: SubmitWorkflowRequest,
): Promise<MessageInitShape<typeof SubmitWorkflowResponseSchema>> => {
  const submission = await prepareWorkflow(call, request);
  if (request.validateOnly) return { created: false };
  const { rows, jobs, created } = orThrow(await ownerOf(call).perform(submitCommand(submission)));
  const now = call.api.clock.now();
  return { workflow: toWorkflow(rows.workflow, now), nodes: toNodes(rows, jobs, now), created };
};

/** The id of a workflow, if it can be one. @throws JobFault WORKFLOW_NOT_FOUND, INVALID_ARGUMENT */
const idOf = (workflowId: string): WorkflowId => {
  if (workflowId === "") throw invalidField("workflow_id", "is missing.");
  if (!isUuidV7(workflowId)) throw workflowNotFound(workflowId);
  return workflowId as WorkflowId;
};

/**
 * The workflow, if the caller may see it.
 * @throws JobFault WORKFLOW_NOT_FOUND, in the same words whether it is hidden or absent
 */
const findWorkflow = async (
  { api, caller, place }: Call,
  workflowId: string,
): Promise<WorkflowRow> => {
  const row = await api.workflows.find(place, idOf(workflowId));
  if (row === null || !maySeeWorkflow(caller, row)) throw workflowNotFound(workflowId);
  return row;
};

export const getWorkflow = async (
  { api, caller, place }: Call,
  { workflowId }: GetWorkflowRequest,
): Promise<MessageInitShape<typeof GetWorkflowResponseSchema>> => {
  const whole = await api.workflows.whole(place, idOf(workflowId));
  if (whole === null || !maySeeWorkflow(caller, whole.workflow)) {
    throw workflowNotFound(workflowId);
  }
  const now = api.clock.now();
  return { workflow: toWorkflow(whole.workflow, now), nodes: toNodes(whole, whole.jobs, now) };
};

export const listWorkflows = async (
  { api, caller, place }: Call,
  request: ListWorkflowsRequest,
): Promise<MessageInitShape<typeof ListWorkflowsResponseSchema>> => {
  const faults = collectFaults();
  const states = checkWorkflowStates(faults, request.states);
  const size = pageSizeOf(faults, request.pageSize);
  faults.throwIfAny();
  const filter: WorkflowFilter = { states, visibleTo: seesOnly(caller) };
  const { organizationId } = place;
  // Another filter is another list.
  const list = `workflows ${states.join(" ")} ${filter.visibleTo ?? ""}`;
  const paged = { seal: api.seal, organizationId, list };
  const before = openPage(paged, request.pageToken) as WorkflowId | null;
  const found = await api.workflows.list(place, filter, before, size + 1);
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  const now = api.clock.now();
  return { workflows: rows.map((row) => toWorkflow(row, now)), nextPageToken };
};

export const cancelWorkflow = async (
  call: Call,
  request: CancelWorkflowRequest,
): Promise<MessageInitShape<typeof CancelWorkflowResponseSchema>> => {
  const faults = collectFaults();
  const reason = text(faults, "reason", request.reason, LIMITS.cancelReasonLength);
  faults.throwIfAny();
  const { organizationId, id } = await findWorkflow(call, request.workflowId);
  const by = actorOf(call);
  const row = orThrow(
    await ownerOf(call).perform(cancelCommand(organizationId, id, { reason, by })),
  );
  return { workflow: toWorkflow(row, call.api.clock.now()) };
};

export const retryWorkflow = async (
  call: Call,
  { workflowId }: RetryWorkflowRequest,
): Promise<MessageInitShape<typeof RetryWorkflowResponseSchema>> => {
  const { organizationId, id } = await findWorkflow(call, workflowId);
  const row = orThrow(await ownerOf(call).perform(retryCommand(organizationId, id, actorOf(call))));
  return { workflow: toWorkflow(row, call.api.clock.now()) };
};
