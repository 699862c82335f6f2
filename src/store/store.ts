import type { AttributeRow } from "../jobs/attribute.ts";
import type { AuditRow } from "../jobs/audit.ts";
import type { BreakerRow } from "../jobs/breaker.ts";
import type { JobId, OrganizationId, ScriptHash, UserId } from "../jobs/ids.ts";
import type {
  AttemptRow,
  JobRow,
  JsonText,
  Labels,
  Millis,
  OutputRow,
  RequestRow,
  ScriptRow,
  SpecRow,
  StepRow,
} from "../jobs/job.ts";
import type { StepResult } from "../jobs/report.ts";
import type { ScheduleRow } from "../jobs/schedule.ts";
import type { JobState } from "../jobs/states.ts";
import type { CatalogStore, ScheduleStore } from "./catalog-store.ts";
import type { IdentityStore } from "./identity-store.ts";

export * from "./identity-store.ts";
export type * from "./catalog-store.ts";

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
};

/** Rows that a batch of commands needs and memory does not hold. */
export type ColdWanted = {
  readonly jobs: readonly JobKey[];
  readonly specs: readonly JobKey[];
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
};

export const NOTHING_WANTED: ColdWanted = {
  jobs: [],
  specs: [],
  requests: [],
  organizations: [],
  schedules: [],
  attributes: [],
  attributeCounts: [],
};

export type UserKey = { readonly organizationId: OrganizationId; readonly userId: UserId };

export type ScheduleKey = { readonly organizationId: OrganizationId; readonly id: string };

export type AttributeWanted = UserKey & {
  readonly name: string;
  readonly value: string;
};

export type ColdRows = {
  readonly jobs: readonly JobRow[];
  readonly specs: readonly SpecRow[];
  readonly requests: readonly RequestRow[];
  readonly organizations: readonly OrganizationLimits[];
  readonly schedules: readonly ScheduleRow[];
  readonly attributes: readonly AttributeRow[];
  /** Without those who have none. */
  readonly attributeCounts: readonly (UserKey & { readonly count: number })[];
};

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
  purged: [],
  purgedOutput: [],
};

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
};

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
  input(place: Place, id: JobId): Promise<JsonText | null>;
  /** The result that this attempt stored; null if it stored none. */
  result(place: Place, id: JobId, attempt: number): Promise<JsonText | null>;
  attempts(place: Place, id: JobId): Promise<AttemptRow[]>;
  /** Ascending, from `fromSeq`. */
  output(place: Place, id: JobId, fromSeq: number, limit: number): Promise<OutputRow[]>;
  script(place: Place, hash: ScriptHash): Promise<ScriptRow | null>;
  /** The steps that ended, in the order of their ends. */
  steps(place: Place, id: JobId): Promise<StepResult[]>;
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
  readonly identity: IdentityStore;
  readonly catalog: CatalogStore;
  readonly schedules: ScheduleStore;
  readonly servers: ServerStore;
  readonly secrets: SecretStore;
  /** A round trip to the database. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
