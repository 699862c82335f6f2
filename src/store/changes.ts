import type { AttributeRow } from "../jobs/attribute.ts";
import type { AuditRow } from "../jobs/audit.ts";
import type { Upstream } from "../jobs/bindings.ts";
import type { BreakerRow } from "../jobs/breaker.ts";
import type { DeliveryRow, DeliveryTryRow, SigningSecretRow } from "../jobs/delivery.ts";
import type { PointRow, RollupRow } from "../jobs/metric.ts";
import type { HookRow } from "../jobs/hook.ts";
import type { DeliveryId, HookId, JobId, OrganizationId, UserId, WorkflowId } from "../jobs/ids.ts";
import type {
  AttemptRow,
  JobRow,
  Labels,
  OutputRow,
  RequestRow,
  ScriptRow,
  SpecRow,
  StepRow,
} from "../jobs/job.ts";
import type { ScheduleRow } from "../jobs/schedule.ts";
import type { UnfinishedRow } from "../jobs/unfinished.ts";
import type { EdgeRow, WorkflowRow, WorkflowStepRow } from "../jobs/workflow.ts";

export type JobKey = { readonly organizationId: OrganizationId; readonly id: JobId };

/** Limits of an organization; the defaults fill in what its row leaves open. */
export type OrganizationLimits = {
  readonly organizationId: OrganizationId;
  readonly maxRunning: number;
  readonly maxQueued: number;
  /** Its share of the service beside others. */
  readonly weight: number;
  /** How long its ended jobs are kept. */
  readonly retentionMs: number;
  /** At most so many running jobs of a type; only types that have a limit. */
  readonly types: ReadonlyMap<string, number>;
  /** Types that crashed since their last success. */
  readonly breakers: readonly BreakerRow[];
  readonly hooks: readonly HookRow[];
};

/** Rows that a batch of commands needs and memory does not hold. */
export type ColdWanted = {
  readonly jobs: readonly JobKey[];
  readonly specs: readonly JobKey[];
  /** What these jobs came to. */
  readonly results: readonly JobKey[];
  readonly requests: readonly {
    readonly organizationId: OrganizationId;
    readonly requestId: string;
  }[];
  /** Read anew even if they are in memory. */
  readonly organizations: readonly OrganizationId[];
  readonly schedules: readonly ScheduleKey[];
  readonly attributes: readonly AttributeWanted[];
  /** Users of whom it matters how many attributes they have. */
  readonly attributeCounts: readonly UserKey[];
  /** With all of their steps and ties. */
  readonly workflows: readonly WorkflowKey[];
  readonly deliveries: readonly DeliveryKey[];
  /** With their secrets. */
  readonly signingSecrets: readonly HookKey[];
  /** The oldest changes of these organizations that hooks are still to be told of. */
  readonly untold: readonly { readonly organizationId: OrganizationId; readonly limit: number }[];
};

export type WorkflowKey = { readonly organizationId: OrganizationId; readonly id: WorkflowId };

export type DeliveryKey = { readonly organizationId: OrganizationId; readonly id: DeliveryId };

/** Empty: what belongs to the organization's callbacks. */
export type HookKey = { readonly organizationId: OrganizationId; readonly id: HookId | "" };

/** A workflow with the names of its jobs and what they wait for. */
export type WorkflowRows = {
  readonly workflow: WorkflowRow;
  /** By position. */
  readonly steps: readonly WorkflowStepRow[];
  readonly edges: readonly EdgeRow[];
};

/** As committed: of a job that has not ended, as it stands. */
export type JobResult = JobKey & Upstream;

export type UserKey = { readonly organizationId: OrganizationId; readonly userId: UserId };

export type ScheduleKey = { readonly organizationId: OrganizationId; readonly id: string };

export type AttributeWanted = UserKey & {
  readonly name: string;
  readonly value: string;
};

export type ColdRows = {
  readonly jobs: readonly JobRow[];
  readonly specs: readonly SpecRow[];
  readonly results: readonly JobResult[];
  readonly requests: readonly RequestRow[];
  readonly organizations: readonly OrganizationLimits[];
  readonly schedules: readonly ScheduleRow[];
  readonly attributes: readonly AttributeRow[];
  /** Without those who have none. */
  readonly attributeCounts: readonly (UserKey & { readonly count: number })[];
  readonly workflows: readonly WorkflowRows[];
  readonly deliveries: readonly DeliveryRow[];
  readonly signingSecrets: readonly SigningSecretRow[];
  readonly untold: readonly UnfinishedRow[];
};

/** An empty list of each kind of cold rows. */
export const emptyLists = (): { [Rows in keyof ColdWanted]: never[] } => ({
  jobs: [],
  specs: [],
  results: [],
  requests: [],
  organizations: [],
  schedules: [],
  attributes: [],
  attributeCounts: [],
  workflows: [],
  deliveries: [],
  signingSecrets: [],
  untold: [],
});

export const NOTHING_WANTED: ColdWanted = emptyLists();

export const NO_COLD_ROWS: ColdRows = emptyLists();

/** Everything that one batch writes, in one transaction. No two entries of a list share a key. */
export type ShardChanges = {
  /** The revision that the shard has after this commit; all job rows here carry it. */
  readonly revision: number;
  readonly inserted: readonly JobRow[];
  readonly specs: readonly SpecRow[];
  readonly updated: readonly JobRow[];
  /** The committed row behind an updated one: only what differs is written. Without it, everything. */
  readonly before: ReadonlyMap<JobRow, JobRow>;
  readonly attempts: readonly AttemptRow[];
  readonly output: readonly OutputRow[];
  /** Written unless they are there already. */
  readonly steps: readonly StepRow[];
  readonly requests: readonly RequestRow[];
  /** Written unless they are there already. */
  readonly scripts: readonly ScriptRow[];
  readonly audit: readonly AuditRow[];
  /** Written unless they are there already. */
  readonly attributes: readonly AttributeRow[];
  readonly removedAttributes: readonly AttributeRow[];
  /** Written whether they are there or not. */
  readonly schedules: readonly ScheduleRow[];
  readonly removedSchedules: readonly ScheduleKey[];
  /** Written whether they are there or not. */
  readonly breakers: readonly BreakerRow[];
  /** Written whether they are there or not. */
  readonly workflows: readonly WorkflowRow[];
  readonly workflowSteps: readonly WorkflowStepRow[];
  readonly edges: readonly EdgeRow[];
  /** Written whether they are there or not. */
  readonly deliveries: readonly DeliveryRow[];
  readonly tries: readonly DeliveryTryRow[];
  /** Written whether they are there or not. */
  readonly hooks: readonly HookRow[];
  readonly removedHooks: readonly HookKey[];
  /** Written whether they are there or not. */
  readonly signingSecrets: readonly SigningSecretRow[];
  readonly removedSigningSecrets: readonly SigningSecretRow[];
  /** Written whether they are there or not. */
  readonly points: readonly PointRow[];
  /** Written whether they are there or not. */
  readonly rollups: readonly RollupRow[];
  /** What is left to later commits. */
  readonly unfinished: readonly UnfinishedRow[];
  /** What was left to this one, and has been done. */
  readonly finished: readonly Pick<UnfinishedRow, "organizationId" | "kind" | "id">[];
  /** Ended workflows that retention removes, with their steps and ties. */
  readonly purgedWorkflows: readonly PurgedWorkflow[];
  /** Their jobs: from now on nobody finds them, and their rows go as those of other jobs do. */
  readonly retired: readonly RetiredJob[];
  /** Ended deliveries that retention removes, with their tries. */
  readonly purgedDeliveries: readonly DeliveryKey[];
  /** Ended jobs that retention removes, with all that belongs to them. */
  readonly purged: readonly PurgedJob[];
  /** Output that goes before its job does, because it is too much for one commit. */
  readonly purgedOutput: readonly Pick<OutputRow, "organizationId" | "jobId" | "seq">[];
};

/** What is known of a job that is to be removed. */
export type PurgedJob = JobKey & {
  /** Resume tokens from before it are worth nothing once the job is gone. */
  readonly revision: number;
  readonly labels: Labels;
  readonly outputCount: number;
  /** Empty if it was submitted without one. */
  readonly requestId: string;
};

/** `revision` as with PurgedJob. */
export type RetiredJob = Pick<PurgedJob, "organizationId" | "id" | "revision">;

/** What is known of a workflow that is to be removed. */
export type PurgedWorkflow = WorkflowKey & {
  /** Empty if it was submitted without one. */
  readonly requestId: string;
};

/** A commit that changes nothing but the revision. */
export const NO_CHANGES: Omit<ShardChanges, "revision"> = {
  inserted: [],
  specs: [],
  updated: [],
  before: new Map(),
  attempts: [],
  output: [],
  steps: [],
  requests: [],
  scripts: [],
  audit: [],
  attributes: [],
  removedAttributes: [],
  schedules: [],
  removedSchedules: [],
  breakers: [],
  workflows: [],
  workflowSteps: [],
  edges: [],
  deliveries: [],
  tries: [],
  hooks: [],
  removedHooks: [],
  signingSecrets: [],
  removedSigningSecrets: [],
  points: [],
  rollups: [],
  unfinished: [],
  finished: [],
  purgedWorkflows: [],
  retired: [],
  purgedDeliveries: [],
  purged: [],
  purgedOutput: [],
};
