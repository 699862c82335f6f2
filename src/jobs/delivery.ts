import type { DeliveryId, HookId, JobId, OrganizationId } from "./ids.ts";
import type { JsonText, Millis } from "./job.ts";

export const DELIVERY_STATES = ["PENDING", "DELIVERED", "FAILED"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** A notice that is owed: the outbox. Written in the commit of what it tells. */
export type DeliveryRow = {
  readonly organizationId: OrganizationId;
  readonly id: DeliveryId;
  readonly state: DeliveryState;
  /** `job.succeeded`, `threshold.above`, `hook.test` … */
  readonly event: string;
  /** Empty for thresholds and tests. */
  readonly jobId: JobId | "";
  /** The attempt whose result is sent along; 0: none. */
  readonly attempt: number;
  /** Empty for a callback. */
  readonly hookId: HookId | "";
  /** Empty if a job is submitted. */
  readonly url: string;
  /** Scheme, host and port of the URL; `job` if a job is submitted; empty once it has ended. */
  readonly origin: string;
  /** The type of the job that is submitted; empty for a URL. */
  readonly jobType: string;
  readonly submittedJobId: JobId | "";
  /** Of the job that it tells of. */
  readonly hookChain: readonly HookId[];
  /** What is sent, but for the result: the same at every try. */
  readonly body: JsonText;
  /** Tries so far since the beginning of the schedule, which a redelivery sets back. */
  readonly scheduleTries: number;
  /** All tries. */
  readonly tries: number;
  readonly createdAt: Millis;
  /** Null once it has ended. */
  readonly nextTryAt: Millis | null;
  readonly endedAt: Millis | null;
  readonly lastError: string;
  /** When it may be removed; null exactly while it is pending. */
  readonly purgeAt: Millis | null;
};

export type DeliveryTryRow = {
  readonly organizationId: OrganizationId;
  readonly deliveryId: DeliveryId;
  /** Counts from 1. */
  readonly try: number;
  readonly startedAt: Millis;
  readonly durationMs: number;
  /** 0 if there was no answer. */
  readonly status: number;
  /** Empty if it was delivered. */
  readonly error: string;
};

/** A secret of Standard Webhooks. */
export type SigningSecretRow = {
  readonly organizationId: OrganizationId;
  /** The hook that it signs for; empty: the organization's callbacks. */
  readonly hookId: HookId | "";
  /** UUIDv7: by time. */
  readonly id: string;
  /** `whsec_` and the key in base64. */
  readonly secret: string;
  readonly createdAt: Millis;
  /** When it signs no more; null for the newest. */
  readonly expiresAt: Millis | null;
};
