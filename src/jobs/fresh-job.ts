import { type JobRow, NO_PROGRESS } from "./job.ts";

/** What a submission says of a job; everything else begins the same for all. */
export type GivenFields = Pick<
  JobRow,
  | "organizationId"
  | "id"
  | "name"
  | "type"
  | "typeVersion"
  | "capability"
  | "priority"
  | "labels"
  | "creatorId"
  | "runAs"
  | "concurrencyKey"
  | "concurrencyPolicy"
  | "attemptTimeoutMs"
  | "deadlineAt"
  | "retryPolicy"
  | "workflowId"
  | "stepName"
  | "parentId"
  | "depth"
  | "hookChain"
  | "callbackUrl"
  | "scheduleId"
  | "createdAt"
  | "runAt"
>;

/** The row of a job that nobody has seen yet; the owner of its shard decides its state. */
export const freshJob = (given: GivenFields): JobRow => ({
  // One by one: a spread costs as much as all the rest of a submission.
  organizationId: given.organizationId,
  id: given.id,
  revision: 0,
  state: "QUEUED",
  name: given.name,
  type: given.type,
  typeVersion: given.typeVersion,
  capability: given.capability,
  priority: given.priority,
  labels: given.labels,
  creatorId: given.creatorId,
  runAs: given.runAs,
  concurrencyKey: given.concurrencyKey,
  concurrencyPolicy: given.concurrencyPolicy,
  attemptTimeoutMs: given.attemptTimeoutMs,
  deadlineAt: given.deadlineAt,
  retryPolicy: given.retryPolicy,
  workflowId: given.workflowId,
  stepName: given.stepName,
  parentId: given.parentId,
  depth: given.depth,
  hookChain: given.hookChain,
  callbackUrl: given.callbackUrl,
  scheduleId: given.scheduleId,
  createdAt: given.createdAt,
  runAt: given.runAt,
  queuedAt: null,
  updatedAt: given.createdAt,
  startedAt: null,
  endedAt: null,
  purgeAt: null,
  attempt: 0,
  retryCount: 0,
  lostCount: 0,
  runnerId: "",
  leaseToken: "",
  reportSeq: 0,
  updateSeq: 0,
  tokenRevokedAttempt: 0,
  progress: NO_PROGRESS,
  error: null,
  cancelRequestedAt: null,
  cancelReason: "",
  cancelledBy: "",
  blockedBy: "",
  unreleased: false,
  childCount: 0,
  callbackState: given.callbackUrl === "" ? "NONE" : "PENDING",
  outputCount: 0,
  cpuMs: 0,
  peakMemoryBytes: 0,
});
