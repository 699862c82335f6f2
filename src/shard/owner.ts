import type { Actor } from "../jobs/audit.ts";
import type { JobId, OrganizationId, RunnerId } from "../jobs/ids.ts";
import type { JobFault } from "../jobs/errors.ts";
import type { JobRow, OutputRow } from "../jobs/job.ts";
import type { Assignment, AttemptRef, AttemptReport } from "../jobs/report.ts";
import type { Submission } from "../jobs/submission.ts";
import type { Command } from "./commands/command.ts";

export type SubmitOutcome = { readonly job: JobRow; readonly created: boolean } | JobFault;

/** `cancelRequested`: a cancellation waits to be carried out by the runner. */
export type ReportOutcome = { readonly cancelRequested: boolean } | JobFault;

/** What the rest of the server asks of the owner of a shard. Answers come after the commit. */
export interface ShardOwner {
  /** One outcome per submission, in their order. */
  submit(submissions: readonly Submission[]): Promise<SubmitOutcome[]>;
  /** @throws JobFault JOB_NOT_FOUND, JOB_NOT_CANCELLABLE */
  cancel(
    organizationId: OrganizationId,
    id: JobId,
    request: { readonly reason: string; readonly by: Actor },
  ): Promise<JobRow>;
  /** @throws JobFault JOB_NOT_FOUND, JOB_NOT_RETRYABLE, QUEUE_FULL, JOB_CONFLICT */
  retry(organizationId: OrganizationId, id: JobId, by: Actor): Promise<JobRow>;
  /**
   * Any other command of shard/commands. A command that refuses answers with a JobFault.
   * @throws JobFault SHARD_UNAVAILABLE
   */
  perform<Outcome>(command: Command<Outcome>): Promise<Outcome>;
  /** One outcome per report, in their order. */
  report(reports: readonly AttemptReport[]): Promise<ReportOutcome[]>;
  readonly feed: Feed;
}

/** What one commit changed, for one organization. */
export type Commit = {
  readonly revision: number;
  readonly jobs: readonly JobRow[];
  readonly output: readonly OutputRow[];
};

export type FeedItem =
  | { readonly kind: "commit"; readonly commit: Commit }
  /** Commits were left out because nobody took them: read the latest state from the store. */
  | { readonly kind: "behind" }
  /** The shard has moved or was reloaded: subscribe again, from the last revision seen. */
  | { readonly kind: "closed" };

export type Subscription = {
  /** The next item. @throws the signal's reason */
  next(signal: AbortSignal): Promise<FeedItem>;
  close(): void;
};

/** Committed changes as they happen. Subscribe first, read the snapshot second, skip what it covers. */
export interface Feed {
  watchJob(organizationId: OrganizationId, id: JobId): Subscription;
  watchOrganization(organizationId: OrganizationId): Subscription;
}

/** @throws JobFault SHARD_UNAVAILABLE when this server does not own the organization's shard now. */
export interface ShardRouter {
  shardOf(organizationId: OrganizationId): number;
  ownerOf(organizationId: OrganizationId): ShardOwner;
}

export type SyncRequest = {
  readonly runnerId: RunnerId;
  readonly displayName: string;
  readonly capabilities: readonly string[];
  /** How many attempts it is willing to hold at once. */
  readonly slots: number;
  /** Everything that it holds. */
  readonly attempts: readonly AttemptRef[];
  /** One answer is enough. */
  readonly immediate: boolean;
};

export type SyncAnswer = {
  readonly assignments: readonly Assignment[];
  readonly cancellations: readonly AttemptRef[];
  readonly lost: readonly AttemptRef[];
};

/** The runners that this server knows, and their free slots. */
export interface RunnerHub {
  /**
   * The first answer comes at once, others when there is something to say. Ends after 5 s, after 2 s
   * if the runner holds attempts, or with a newer call of it. @throws the signal's reason
   */
  sync(request: SyncRequest, signal: AbortSignal): AsyncIterable<SyncAnswer>;
}
