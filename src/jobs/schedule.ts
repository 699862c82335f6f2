import type { JobId, OrganizationId, UserId } from "./ids.ts";
import type { JsonText, Millis } from "./job.ts";

/** What to do about the times that passed while nobody could fire. */
export const CATCH_UPS = [
  /** Nothing: the next one is the next one. */
  "SKIP",
  /** One job for all of them. */
  "ONCE",
  /** One job for each, oldest first; at most 100. */
  "ALL",
] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

/** Something that is submitted again and again. */
export type ScheduleRow = {
  readonly organizationId: OrganizationId;
  /** 1 to 100 of `A-Z a-z 0-9 . _ -`; unique within the organization. */
  readonly id: string;
  /** Five fields, or six with seconds. */
  readonly cron: string;
  /** An IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  /** A millrace.v1.JobSpec in its JSON form: looked at anew at every firing. */
  readonly spec: JsonText;
  readonly creatorId: UserId | "";
  readonly runAs: UserId | "";
  readonly pausedAt: Millis | null;
  readonly pauseReason: string;
  /** When it is looked at next. Null while it is paused, and when no time is left. */
  readonly nextFireAt: Millis | null;
  /**
   * The oldest time that has come and was not dealt with: `nextFireAt` is the next try then, and
   * what passed meanwhile is caught up as the policy says. Null when nothing is outstanding.
   */
  readonly pendingFrom: Millis | null;
  /** The newest time that was dealt with, whether it made a job or not. */
  readonly lastFireAt: Millis | null;
  readonly lastJobId: JobId | "";
  /** Why the last firing made no job; empty if it made one. */
  readonly lastError: string;
  readonly fireCount: number;
  /** Rises with every change by hand. */
  readonly version: number;
  readonly createdAt: Millis;
  readonly changedAt: Millis;
};
