import type { JobId, OrganizationId, UserId, WorkflowId } from "./ids.ts";
import type { JsonText, Labels, Millis } from "./job.ts";

export const WORKFLOW_STATES = ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"] as const;
export type WorkflowState = (typeof WORKFLOW_STATES)[number];

/** What becomes of a job when one that it waits for did not succeed. */
export type UpstreamFailurePolicy = "CANCEL" | "RUN";

/** Jobs with ties. They are rows of their own; this is what they have in common. */
export type WorkflowRow = {
  readonly organizationId: OrganizationId;
  readonly id: WorkflowId;
  /** Of the commit that wrote it. */
  readonly revision: number;
  readonly state: WorkflowState;
  readonly name: string;
  readonly labels: Labels;
  readonly creatorId: UserId | "";
  /** Of the submission; empty if it had none. */
  readonly requestId: string;
  readonly stepCount: number;
  /** Steps that ended so. */
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Of the failed ones, those that are not answered: no step, or not each that waits for it, runs anyway. */
  readonly unansweredFailed: number;
  /** Likewise, of those that somebody cancelled by hand. */
  readonly unansweredCancelled: number;
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
  /** Null exactly while it runs. */
  readonly endedAt: Millis | null;
  /** When it may be removed, with its jobs; null exactly while it runs. */
  readonly purgeAt: Millis | null;
  readonly cancelRequestedAt: Millis | null;
  readonly cancelReason: string;
  readonly cancelledBy: UserId | "";
};

type GivenFields = Pick<
  WorkflowRow,
  | "organizationId"
  | "id"
  | "name"
  | "labels"
  | "creatorId"
  | "requestId"
  | "stepCount"
  | "createdAt"
>;

/** The row of a workflow that nobody has seen yet. */
export const freshWorkflow = (given: GivenFields): WorkflowRow => ({
  ...given,
  revision: 0,
  state: "RUNNING",
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  unansweredFailed: 0,
  unansweredCancelled: 0,
  updatedAt: given.createdAt,
  endedAt: null,
  purgeAt: null,
  cancelRequestedAt: null,
  cancelReason: "",
  cancelledBy: "",
});

/** Which job is which step. */
export type WorkflowStepRow = {
  readonly organizationId: OrganizationId;
  readonly workflowId: WorkflowId;
  /** In the order of the submission, from 0. */
  readonly position: number;
  readonly name: string;
  readonly jobId: JobId;
};

/** A job waits for another of its workflow. */
export type EdgeRow = {
  readonly organizationId: OrganizationId;
  readonly workflowId: WorkflowId;
  readonly jobId: JobId;
  readonly upstreamId: JobId;
  readonly onFailure: UpstreamFailurePolicy;
};

/** A value of an earlier job that goes into the input of a later one. */
export type Binding = {
  /** Where in the input: names of members and indexes, from the outside in. */
  readonly path: readonly (string | number)[];
  readonly upstreamId: JobId;
  /** The upstream's name, for people. */
  readonly step: string;
  readonly of: "result" | "error";
  /** JSON Pointer (RFC 6901) into it; empty: all of it. */
  readonly pointer: string;
  /** Stands for a value that is not there. Null: that fails the job. */
  readonly fallback: JsonText | null;
};
