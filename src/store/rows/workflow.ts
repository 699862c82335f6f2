import type { JobId, OrganizationId, UserId, WorkflowId } from "../../jobs/ids.ts";
import type { EdgeRow, WorkflowRow, WorkflowStepRow } from "../../jobs/workflow.ts";
import type { DatabaseRow } from "../engine.ts";
import type { WorkflowKey } from "../store.ts";
import { FAILURE_POLICIES, WORKFLOW_STATE_CODES } from "./codes.ts";
import { binding, type Column, numberOf, numberOrNull, textOf, textOrNull } from "./column.ts";
import { labelsOf, textOfLabels } from "./job.ts";

const KEY: readonly Column<WorkflowKey>[] = [
  ["organization_id", (workflow) => workflow.organizationId],
  ["id", (workflow) => workflow.id],
];

export const UPSERT_WORKFLOW = binding<WorkflowRow>("workflows", "upsert", KEY, [
  ["revision", (workflow) => workflow.revision],
  ["state", (workflow) => WORKFLOW_STATE_CODES.numbers[workflow.state]],
  ["name", (workflow) => workflow.name],
  ["labels", (workflow) => textOfLabels(workflow.labels)],
  ["creator_id", (workflow) => workflow.creatorId],
  ["request_id", (workflow) => workflow.requestId],
  ["step_count", (workflow) => workflow.stepCount],
  ["succeeded", (workflow) => workflow.succeeded],
  ["failed", (workflow) => workflow.failed],
  ["cancelled", (workflow) => workflow.cancelled],
  ["unanswered_failed", (workflow) => workflow.unansweredFailed],
  ["unanswered_cancelled", (workflow) => workflow.unansweredCancelled],
  ["created_at", (workflow) => workflow.createdAt],
  ["updated_at", (workflow) => workflow.updatedAt],
  ["ended_at", (workflow) => workflow.endedAt],
  ["purge_at", (workflow) => workflow.purgeAt],
  ["cancel_requested_at", (workflow) => workflow.cancelRequestedAt],
  ["cancel_reason", (workflow) => workflow.cancelReason],
  ["cancelled_by", (workflow) => workflow.cancelledBy],
]);

export const DELETE_WORKFLOW = binding("workflows", "delete", KEY, []);

/** Needs `textOfBytes("request_id")` beside the other columns. */
export const workflowOf = (row: DatabaseRow): WorkflowRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  id: textOf(row, "id") as WorkflowId,
  revision: numberOf(row, "revision"),
  state: WORKFLOW_STATE_CODES.nameOf(numberOf(row, "state")),
  name: textOf(row, "name"),
  labels: labelsOf(textOrNull(row, "labels")),
  creatorId: textOf(row, "creator_id") as UserId | "",
  requestId: textOf(row, "request_id"),
  stepCount: numberOf(row, "step_count"),
  succeeded: numberOf(row, "succeeded"),
  failed: numberOf(row, "failed"),
  cancelled: numberOf(row, "cancelled"),
  unansweredFailed: numberOf(row, "unanswered_failed"),
  unansweredCancelled: numberOf(row, "unanswered_cancelled"),
  createdAt: numberOf(row, "created_at"),
  updatedAt: numberOf(row, "updated_at"),
  endedAt: numberOrNull(row, "ended_at"),
  purgeAt: numberOrNull(row, "purge_at"),
  cancelRequestedAt: numberOrNull(row, "cancel_requested_at"),
  cancelReason: textOf(row, "cancel_reason"),
  cancelledBy: textOf(row, "cancelled_by") as UserId | "",
});

export const WORKFLOW_COLUMNS: readonly string[] = UPSERT_WORKFLOW.write.columns.filter(
  (name) => name !== "shard_id" && name !== "request_id",
);

export const INSERT_WORKFLOW_STEP = binding<WorkflowStepRow>(
  "workflow_steps",
  "insert",
  [
    ["organization_id", (step) => step.organizationId],
    ["workflow_id", (step) => step.workflowId],
    ["position", (step) => step.position],
  ],
  [
    ["name", (step) => step.name],
    ["job_id", (step) => step.jobId],
  ],
);

export const workflowStepOf = (row: DatabaseRow): WorkflowStepRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  workflowId: textOf(row, "workflow_id") as WorkflowId,
  position: numberOf(row, "position"),
  name: textOf(row, "name"),
  jobId: textOf(row, "job_id") as JobId,
});

export const INSERT_EDGE = binding<EdgeRow>(
  "job_edges",
  "insert",
  [
    ["organization_id", (edge) => edge.organizationId],
    ["workflow_id", (edge) => edge.workflowId],
    ["job_id", (edge) => edge.jobId],
    ["upstream_id", (edge) => edge.upstreamId],
  ],
  [["on_failure", (edge) => FAILURE_POLICIES.numbers[edge.onFailure]]],
);

export const edgeOf = (row: DatabaseRow): EdgeRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  workflowId: textOf(row, "workflow_id") as WorkflowId,
  jobId: textOf(row, "job_id") as JobId,
  upstreamId: textOf(row, "upstream_id") as JobId,
  onFailure: FAILURE_POLICIES.nameOf(numberOf(row, "on_failure")),
});

const OF_WORKFLOW: readonly Column<WorkflowKey>[] = [
  ["organization_id", (workflow) => workflow.organizationId],
  ["workflow_id", (workflow) => workflow.id],
];

export const DELETE_WORKFLOW_STEPS = binding("workflow_steps", "delete", OF_WORKFLOW, []);
export const DELETE_EDGES = binding("job_edges", "delete", OF_WORKFLOW, []);
