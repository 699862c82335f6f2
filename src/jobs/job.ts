import type {
  Capability,
  HookId,
  JobId,
  LeaseToken,
  OrganizationId,
  RunnerId,
  ScriptHash,
  UserId,
  WorkflowId,
} from "./ids.ts";
import type { RetryPolicy } from "./retry.ts";
import type { JobState } from "./states.ts";

/** Epoch milliseconds. */
export type Millis = number;
/**
 * Stands where the time of removal would, for a job that is kept as long as its workflow. It is
 * later than all times: the year 9999 ends.
 */
export const WITH_ITS_WORKFLOW: Millis = 253_402_300_799_999;

/**
 * Stands there for a job that has been removed with its workflow, and whose rows are still to go:
 * nobody finds it any more, and its id is not free yet. It is earlier than all times.
 */
export const REMOVED: Millis = 0;

/** True for a time that means something by itself. */
export const isPurgeTime = (at: Millis | null): at is Millis =>
  at !== null && at !== WITH_ITS_WORKFLOW && at !== REMOVED;

/** A JSON text: parsed nowhere on its way through the service. */
export type JsonText = string;

export type JobError = {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  readonly retryable: boolean;
};

export type Progress = {
  /** 0.0 to 1.0. */
  readonly fraction: number;
  readonly message: string;
  readonly currentStep: number;
  readonly totalSteps: number;
};

export const NO_PROGRESS: Progress = { fraction: 0, message: "", currentStep: 0, totalSteps: 0 };

export type Labels = Readonly<Record<string, string>>;

export type ConcurrencyPolicy = "QUEUE" | "REJECT";

/** PENDING from the submission of a job with a callback on. */
export type CallbackState = "NONE" | "PENDING" | "DELIVERED" | "FAILED";

/**
 * The hot row of a job: all that changes, and all that lists show. Rows are values: a change makes
 * a new one. `revision` is that of the commit that wrote it.
 */
export type JobRow = {
  readonly organizationId: OrganizationId;
  readonly id: JobId;
  readonly revision: number;
  readonly state: JobState;

  /* given at submission, never changed */
  readonly name: string;
  /** Empty for an inline script. */
  readonly type: string;
  readonly typeVersion: number;
  readonly capability: Capability;
  readonly priority: number;
  readonly labels: Labels;
  /** Empty for a job without an owner. */
  readonly creatorId: UserId | "";
  readonly runAs: UserId | "";
  readonly concurrencyKey: string;
  readonly concurrencyPolicy: ConcurrencyPolicy;
  readonly attemptTimeoutMs: number;
  /** When the job fails if it has not ended: its total timeout as a moment. Null: never. */
  readonly deadlineAt: Millis | null;
  readonly retryPolicy: RetryPolicy;
  /** Empty for a job on its own. */
  readonly workflowId: WorkflowId | "";
  readonly stepName: string;
  /** The job that submitted it while it ran; empty for a job on its own. */
  readonly parentId: JobId | "";
  /** How many parents it has, one above the other. */
  readonly depth: number;
  /** Hooks whose jobs led to this one, the nearest last; empty for a job that no hook submitted. */
  readonly hookChain: readonly HookId[];
  /** Where its end is told; empty: nowhere. */
  readonly callbackUrl: string;
  /** The schedule that submitted it; empty if none did. */
  readonly scheduleId: string;
  readonly createdAt: Millis;

  /* changes */
  /** `run_at`, or the end of a backoff. */
  readonly runAt: Millis;
  /** When it last became QUEUED: first in, first out goes by this. */
  readonly queuedAt: Millis | null;
  readonly updatedAt: Millis;
  /** Of the newest attempt. */
  readonly startedAt: Millis | null;
  /** When the job ended; null exactly while it is active. */
  readonly endedAt: Millis | null;
  /** When it may be removed; null exactly while it is active. Of a step: WITH_ITS_WORKFLOW, then REMOVED. */
  readonly purgeAt: Millis | null;
  /** 0 before the first attempt. */
  readonly attempt: number;
  readonly retryCount: number;
  /** Attempts lost with their runners. */
  readonly lostCount: number;
  readonly runnerId: RunnerId | "";
  readonly leaseToken: LeaseToken | "";
  /** The highest report sequence applied in this attempt. */
  readonly reportSeq: number;
  /** The highest sequence of UpdateJob applied in this attempt. */
  readonly updateSeq: number;
  /** The job's own tokens of attempts up to this one are revoked. */
  readonly tokenRevokedAttempt: number;
  readonly progress: Progress;
  readonly error: JobError | null;
  readonly cancelRequestedAt: Millis | null;
  readonly cancelReason: string;
  /** Who asked for the cancellation. */
  readonly cancelledBy: UserId | "";
  /** The step of its workflow whose end cancelled it; empty if none did. */
  readonly blockedBy: string;
  /** Its operational user has not released it: it is HELD, or has ended so. */
  readonly unreleased: boolean;
  /** Jobs that it has submitted, over all attempts. */
  readonly childCount: number;
  readonly callbackState: CallbackState;
  /** Also the sequence number of the next output row. */
  readonly outputCount: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
};

/** The cold row: written once, read when an attempt starts. */
export type SpecRow = {
  readonly organizationId: OrganizationId;
  readonly id: JobId;
  readonly input: JsonText;
  readonly scriptHash: ScriptHash | "";
  /** Where values of other jobs go into the input: a JSON text of `Binding[]`; empty if there are none. */
  readonly bindings: JsonText;
  readonly traceparent: string;
  /** Of the submission; empty if it had none. */
  readonly requestId: string;
};

export const ATTEMPT_OUTCOMES = ["SUCCEEDED", "FAILED", "CANCELLED", "LOST"] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One ended attempt. The running one is in its JobRow. */
export type AttemptRow = {
  readonly organizationId: OrganizationId;
  readonly jobId: JobId;
  readonly attempt: number;
  readonly runnerId: RunnerId;
  readonly startedAt: Millis;
  readonly endedAt: Millis;
  readonly outcome: AttemptOutcome;
  /** Only with SUCCEEDED. */
  readonly result: JsonText | null;
  readonly error: JobError | null;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
};

export const OUTPUT_STREAMS = ["STDOUT", "STDERR", "LOG"] as const;
export type OutputStream = (typeof OUTPUT_STREAMS)[number];

export type OutputRow = {
  readonly organizationId: OrganizationId;
  readonly jobId: JobId;
  readonly seq: number;
  readonly attempt: number;
  readonly stream: OutputStream;
  readonly text: string;
  readonly writtenAt: Millis;
};

/** A step of a job that ended; it is never run again. */
export type StepRow = {
  readonly organizationId: OrganizationId;
  readonly jobId: JobId;
  readonly name: string;
  /** In which it ended. */
  readonly attempt: number;
  readonly result: JsonText;
  readonly writtenAt: Millis;
};

/** A script by its content. */
export type ScriptRow = {
  readonly organizationId: OrganizationId;
  readonly hash: ScriptHash;
  readonly language: "JAVASCRIPT" | "TYPESCRIPT";
  /** As its author wrote it. */
  readonly source: string;
  /** JavaScript with the author's positions. */
  readonly code: string;
  readonly createdAt: Millis;
};

/** Remembers that a submission was taken, and for which job. */
export type RequestRow = {
  readonly organizationId: OrganizationId;
  readonly requestId: string;
  readonly jobId: JobId;
  /** SHA-256 over the content of the submission, in hex. */
  readonly fingerprint: string;
  readonly createdAt: Millis;
};
