/**
 * The closed list of reasons with which Millrace refuses something. Each is the `reason` of a
 * google.rpc.ErrorInfo; api/ maps them to Connect codes in one place.
 */
export const REASONS = [
  "INVALID_ARGUMENT",
  "NOT_SUPPORTED",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "CALLER_CHANGED",
  "JOB_NOT_FOUND",
  "JOB_NOT_COMPLETED",
  "JOB_ALREADY_EXISTS",
  "JOB_CONFLICT",
  "JOB_NOT_CANCELLABLE",
  "JOB_NOT_HELD",
  "JOB_NOT_RETRYABLE",
  "REQUEST_ID_REUSED",
  "QUEUE_FULL",
  "JOB_NOT_RUNNING",
  "LEASE_LOST",
  "SCRIPT_NOT_FOUND",
  "JOB_TYPE_NOT_FOUND",
  "JOB_TYPE_DISABLED",
  "WORKFLOW_NOT_FOUND",
  "WORKFLOW_ALREADY_EXISTS",
  "WORKFLOW_NOT_CANCELLABLE",
  "WORKFLOW_NOT_RETRYABLE",
  "TOO_MANY_CHILDREN",
  "CHILD_TOO_DEEP",
  "HOOK_NOT_FOUND",
  "HOOK_CHANGED",
  "TOO_MANY_HOOKS",
  "DELIVERY_NOT_FOUND",
  "SCHEDULE_NOT_FOUND",
  "SCHEDULE_ALREADY_EXISTS",
  "SCHEDULE_CHANGED",
  "TOO_MANY_SCHEDULES",
  "TOO_MANY_METRIC_GRANTS",
  "ORGANIZATION_NOT_FOUND",
  "ORGANIZATION_ALREADY_EXISTS",
  "USER_NOT_FOUND",
  "USER_ALREADY_EXISTS",
  "LAST_ADMIN",
  "TOO_MANY_ATTRIBUTES",
  "TOKEN_NOT_FOUND",
  "RESUME_TOKEN_EXPIRED",
  "SHARD_UNAVAILABLE",
  "SHUTTING_DOWN",
  "DEADLINE_EXCEEDED",
  "INTERNAL",
] as const;

export type Reason = (typeof REASONS)[number];

/** One fault of a request: where, and what is wrong with limit and value. */
export type FieldFault = { readonly field: string; readonly description: string };

type Details = {
  /** Small facts for machines, such as the limit that was hit. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly faults?: readonly FieldFault[];
  /** When asking again may help. */
  readonly retryAfterMs?: number;
  /** Kept for logs, never sent. */
  readonly cause?: unknown;
};

/** A refusal with a stable reason. `message` is one sentence for people, with a next step. */
export class JobFault extends Error {
  override readonly name = "JobFault";
  readonly reason: Reason;
  readonly metadata: Readonly<Record<string, string>>;
  readonly faults: readonly FieldFault[];
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.metadata = details.metadata ?? {};
    this.faults = details.faults ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }

  /**
   * Whatever was caught, as a fault: itself, SHARD_UNAVAILABLE if it says that it is temporary, or
   * INTERNAL; the cause is kept.
   */
  static from(caught: unknown): JobFault {
    if (caught instanceof JobFault) return caught;
    if (isTemporary(caught)) {
      const message = "The database is out of reach for the moment. Try again shortly.";
      return new JobFault("SHARD_UNAVAILABLE", message, { cause: caught, retryAfterMs: 1_000 });
    }
    return new JobFault("INTERNAL", "Something went wrong on our side. Please try again.", {
      cause: caught,
    });
  }
}

export const jobNotFound = (jobId: string): JobFault =>
  new JobFault("JOB_NOT_FOUND", `There is no job ${jobId}.`, { metadata: { job_id: jobId } });

export const workflowNotFound = (workflowId: string): JobFault =>
  new JobFault("WORKFLOW_NOT_FOUND", `There is no workflow ${workflowId}.`, {
    metadata: { workflow_id: workflowId },
  });

export const tokenNotFound = (tokenId: string): JobFault =>
  new JobFault("TOKEN_NOT_FOUND", "There is no such token.", { metadata: { token_id: tokenId } });

export const deliveryNotFound = (deliveryId: string): JobFault =>
  new JobFault("DELIVERY_NOT_FOUND", `There is no delivery ${deliveryId}.`, {
    metadata: { delivery_id: deliveryId },
  });

/** Said by errors of layers that this one does not know. */
const isTemporary = (caught: unknown): boolean =>
  caught instanceof Error && "isTemporary" in caught && caught.isTemporary === true;

export const hookNotFound = (hookId: string): JobFault =>
  new JobFault("HOOK_NOT_FOUND", `There is no hook ${hookId}.`, { metadata: { hook_id: hookId } });

export const scheduleNotFound = (scheduleId: string): JobFault =>
  new JobFault("SCHEDULE_NOT_FOUND", `There is no schedule ${scheduleId}.`, {
    metadata: { schedule_id: scheduleId },
  });
