import type { JobId, OrganizationId, ScriptHash, UserId, WorkflowId } from "../jobs/ids.ts";
import type {
  AttemptRow,
  JobRow,
  JsonText,
  Labels,
  Millis,
  OutputRow,
  ScriptRow,
  SpecRow,
} from "../jobs/job.ts";
import type { StepResult } from "../jobs/report.ts";
import type { JobState } from "../jobs/states.ts";
import type { WorkflowRow, WorkflowState } from "../jobs/workflow.ts";
import type { CatalogStore, ScheduleStore } from "./catalog-store.ts";
import type {
  ColdRows,
  ColdWanted,
  JobKey,
  JobResult,
  OrganizationLimits,
  PurgedJob,
  ShardChanges,
  WorkflowKey,
  WorkflowRows,
} from "./changes.ts";
import type { HookStore } from "./hook-store.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { MetricStore } from "./metric-store.ts";
import type { IdentityStore } from "./identity-store.ts";

export * from "./identity-store.ts";
export type * from "./catalog-store.ts";
export type * from "./hook-store.ts";
export type * from "./metric-store.ts";
export * from "./changes.ts";
export type * from "./delivery-store.ts";

/** The number of a shard: 0 to the database's shard count - 1. */
export type ShardId = number;

/** What every commit must still find true: the lease has not passed to another, nothing was written in between. */
export type Fence = { readonly shardId: ShardId; readonly epoch: number };

/** Another server owns the shard now. The memory of it is worth nothing any more. */
export class Deposed extends Error {
  override readonly name = "Deposed";
  constructor(fence: Fence) {
    super(`shard ${fence.shardId} is no longer owned at epoch ${fence.epoch}`);
  }
}

export type ShardRecord = {
  readonly id: ShardId;
  readonly epoch: number;
  readonly revision: number;
  /** The id of the server that holds the lease; empty when nobody ever did or it was released. */
  readonly owner: string;
  /** By the database's clock. */
  readonly leaseExpired: boolean;
};

/** What the owner of a shard starts from. */
export type ShardSnapshot = {
  readonly epoch: number;
  readonly revision: number;
  readonly jobs: readonly JobRow[];
  readonly organizations: readonly OrganizationLimits[];
  /** That have not ended. */
  readonly workflows: readonly WorkflowRows[];
  /** Jobs that have ended, or are to end, and have not been settled (jobs/unfinished.ts). */
  readonly unsettled: readonly JobRow[];
  /** How many changes hooks are still to be told of. */
  readonly untold: ReadonlyMap<OrganizationId, number>;
  /** Up to where the minutes of metrics have been rolled up: none from before changes any more. */
  readonly metricsClosedUntil: Millis;
};

export type PurgeableWorkflow = WorkflowKey & { readonly stepCount: number };

/** What the owner of a shard reads and writes. */
export interface ShardStore {
  list(): Promise<ShardRecord[]>;
  /**
   * Takes the lease if it is free, expired, or already this owner's (an earlier life of the same
   * server). The epoch rises. Null: somebody else holds it.
   */
  claim(
    shardId: ShardId,
    owner: string,
    leaseMs: number,
  ): Promise<{ readonly epoch: number; readonly revision: number } | null>;
  /** Prolongs leases; answers with the shards that are still this owner's at that epoch. */
  renew(fences: readonly Fence[], owner: string, leaseMs: number): Promise<ShardId[]>;
  release(fence: Fence, owner: string): Promise<void>;
  /**
   * Every job of the shard that has not ended, the shard's epoch and revision, and the limits of
   * the organizations of these jobs: one consistent read.
   */
  load(shardId: ShardId): Promise<ShardSnapshot>;
  readCold(shardId: ShardId, wanted: ColdWanted): Promise<ColdRows>;
  /** Ended jobs whose time to be removed has come, the longest overdue first. */
  purgeable(shardId: ShardId, now: Millis, limit: number): Promise<PurgedJob[]>;
  /** Ended workflows whose time has come, the longest overdue first. */
  purgeableWorkflows(shardId: ShardId, now: Millis, limit: number): Promise<PurgeableWorkflow[]>;
  /** Sequence numbers of the output that a job still has, ascending. */
  outputLeft(shardId: ShardId, job: JobKey, limit: number): Promise<number[]>;
  /**
   * Removes the organization's oldest lines of the audit log, at most `limit`, that are from before
   * `before`; answers with how many. Not fenced: whoever does it twice does no harm.
   */
  removeAudit(place: Place, before: Millis, limit: number): Promise<number>;
  /**
   * All or nothing. The first statement is the fence
   * (`UPDATE shards SET revision = … WHERE id = ? AND epoch = ? AND revision = …`).
   * @throws Deposed when it touches no row; anything else when the outcome is unknown.
   */
  commit(fence: Fence, changes: ShardChanges): Promise<void>;
}

export type JobFilter = {
  /** Empty: any. */
  readonly states: readonly JobState[];
  readonly type: string | null;
  readonly labels: Labels;
  readonly creatorId: UserId | null;
  readonly createdAfter: Millis | null;
  readonly createdBefore: Millis | null;
  readonly workflowId: string | null;
  /** Only jobs that this user created or acts in. Null: all of the organization. */
  readonly visibleTo: UserId | null;
};

/** Where an organization's jobs are. */
export type Place = { readonly shardId: ShardId; readonly organizationId: OrganizationId };

/** Reads that go straight to the database: committed rows only. */
export interface JobReader {
  find(place: Place, id: JobId): Promise<JobRow | null>;
  /** Newest first, by descending id; `before` is the last id of the page before. */
  list(place: Place, filter: JobFilter, before: JobId | null, limit: number): Promise<JobRow[]>;
  count(place: Place, filter: JobFilter): Promise<number>;
  /** Jobs changed after (revision, id), oldest change first: by ascending (revision, id). */
  changedSince(
    place: Place,
    filter: JobFilter,
    after: { readonly revision: number; readonly id: JobId | "" },
    limit: number,
  ): Promise<JobRow[]>;
  /** The newest revision of the shard, and the one up to which retention has removed rows. */
  revision(shardId: ShardId): Promise<{ readonly current: number; readonly compacted: number }>;
  /** What the job was given; null if there is no such job. */
  input(place: Place, id: JobId): Promise<Pick<SpecRow, "input" | "bindings"> | null>;
  /** What these jobs came to, as far as they are there. */
  results(place: Place, ids: readonly JobId[]): Promise<JobResult[]>;
  /** W3C Trace Context of its submission; empty if there was none, or there is no such job. */
  traceparent(place: Place, id: JobId): Promise<string>;
  /** The result that this attempt stored; null if it stored none. */
  result(place: Place, id: JobId, attempt: number): Promise<JsonText | null>;
  attempts(place: Place, id: JobId): Promise<AttemptRow[]>;
  /** Ascending, from `fromSeq`. */
  output(place: Place, id: JobId, fromSeq: number, limit: number): Promise<OutputRow[]>;
  script(place: Place, hash: ScriptHash): Promise<ScriptRow | null>;
  /** The steps that ended, in the order of their ends. */
  steps(place: Place, id: JobId): Promise<StepResult[]>;
}

/** A workflow with its steps, ties and jobs, as one commit left them. */
export type WorkflowWhole = WorkflowRows & {
  /** In no order. */
  readonly jobs: readonly JobRow[];
};

export type WorkflowFilter = {
  /** Empty: any. */
  readonly states: readonly WorkflowState[];
  /** Only those of this user. Null: all of the organization. */
  readonly visibleTo: UserId | null;
};

/** Reads of workflows that go straight to the database. */
export interface WorkflowReader {
  find(place: Place, id: WorkflowId): Promise<WorkflowRow | null>;
  whole(place: Place, id: WorkflowId): Promise<WorkflowWhole | null>;
  /** Newest first, by descending id; `before` is the last id of the page before. */
  list(
    place: Place,
    filter: WorkflowFilter,
    before: WorkflowId | null,
    limit: number,
  ): Promise<WorkflowRow[]>;
}

/** The server's entry in the list of live servers. */
export interface ServerStore {
  announce(id: string, internalUrl: string): Promise<void>;
  /** Internal URLs of the servers seen within `withinMs`, by the database's clock. */
  live(withinMs: number): Promise<string[]>;
  withdraw(id: string): Promise<void>;
}

/** Keys that all servers on one database share, such as the one that signs page and resume tokens. */
export interface SecretStore {
  /** The secret of that name. If there is none yet, `fresh` becomes it, unless another server was faster. */
  keep(name: string, fresh: string): Promise<string>;
  /** The names that begin so. */
  names(prefix: string): Promise<string[]>;
  remove(names: readonly string[]): Promise<void>;
}

export interface Store {
  readonly engine: "sqlite" | "mysql";
  readonly shards: ShardStore;
  readonly jobs: JobReader;
  readonly workflows: WorkflowReader;
  readonly identity: IdentityStore;
  readonly catalog: CatalogStore;
  readonly schedules: ScheduleStore;
  readonly hooks: HookStore;
  readonly deliveries: DeliveryStore;
  readonly metrics: MetricStore;
  readonly servers: ServerStore;
  readonly secrets: SecretStore;
  /** A round trip to the database. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
