import {
  UpstreamFailurePolicy,
  type Workflow,
  type WorkflowNode,
  WorkflowState,
} from "../../gen/millrace/v1/workflow_pb.ts";
import type { JobRow, Millis } from "../../jobs/job.ts";
import { canCancelWorkflow, whyWorkflowNotRetryable } from "../../jobs/permissions.ts";
import type { WorkflowRow } from "../../jobs/workflow.ts";
import type { WorkflowRows } from "../../store/store.ts";
import { timestamp, toJob } from "./job.ts";

/** A workflow as whoever may see it sees it at `now`. */
export const toWorkflow = (row: WorkflowRow, now: Millis): Workflow => ({
  $typeName: "millrace.v1.Workflow",
  id: row.id,
  organizationId: row.organizationId,
  state: WorkflowState[row.state],
  name: row.name,
  labels: { ...row.labels },
  creatorId: row.creatorId,
  stepCount: row.stepCount,
  succeededCount: row.succeeded,
  failedCount: row.failed,
  cancelledCount: row.cancelled,
  createTime: timestamp(row.createdAt),
  updateTime: timestamp(row.updatedAt),
  ...(row.endedAt === null ? {} : { endTime: timestamp(row.endedAt) }),
  cancelRequested: row.cancelRequestedAt !== null,
  cancelReason: row.cancelReason,
  cancelledBy: row.cancelledBy,
  canCancel: canCancelWorkflow(row),
  canRetry: whyWorkflowNotRetryable(row, now) === null,
  ...(row.purgeAt === null ? {} : { purgeTime: timestamp(row.purgeAt) }),
});

/** Its steps in their order, each with its job; of one whose job is removed already, the name and the ties. */
export const toNodes = (
  { steps, edges }: WorkflowRows,
  jobs: readonly JobRow[],
  now: Millis,
): WorkflowNode[] => {
  const rows = new Map(jobs.map((job) => [job.id, job]));
  const stepOf = new Map(steps.map((step) => [step.jobId, step]));
  const tiesOf = Map.groupBy(edges, ({ jobId }) => jobId);
  return steps.map(({ name, jobId }): WorkflowNode => {
    const job = rows.get(jobId);
    const upstreams = (tiesOf.get(jobId) ?? []).flatMap(({ upstreamId, onFailure }) => {
      const upstream = stepOf.get(upstreamId);
      return upstream === undefined ? [] : [{ upstream, onFailure }];
    });
    return {
      $typeName: "millrace.v1.WorkflowNode",
      name,
      ...(job === undefined ? {} : { job: toJob(job, now) }),
      after: upstreams
        .toSorted((a, b) => a.upstream.position - b.upstream.position)
        .map(({ upstream, onFailure }) => ({
          $typeName: "millrace.v1.WorkflowTie",
          step: upstream.name,
          onFailure: UpstreamFailurePolicy[onFailure],
        })),
    };
  });
};
