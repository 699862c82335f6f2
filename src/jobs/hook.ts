import type { HookId, OrganizationId, UserId } from "./ids.ts";
import type { Labels, Millis } from "./job.ts";
import type { JobState } from "./states.ts";

export const THRESHOLD_METRICS = [
  "QUEUE_AGE_SECONDS",
  "QUEUED_JOBS",
  "RUNNING_JOBS",
  "FAILURE_RATIO",
] as const;
export type ThresholdMetric = (typeof THRESHOLD_METRICS)[number];

/** What a hook waits for. */
export type HookEvent =
  | {
      readonly kind: "jobs";
      readonly states: readonly JobState[];
      /** Empty: all. */
      readonly types: readonly string[];
      /** All of these. */
      readonly labels: Labels;
    }
  | {
      readonly kind: "threshold";
      readonly metric: ThresholdMetric;
      /** Empty: all jobs of the organization. */
      readonly type: string;
      readonly above: number;
      readonly forMs: number;
    };

export type HookTarget =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "job"; readonly type: string };

export type HookRow = {
  readonly organizationId: OrganizationId;
  readonly id: HookId;
  readonly name: string;
  readonly event: HookEvent;
  readonly target: HookTarget;
  readonly creatorId: UserId | "";
  /** Null while it is not paused. */
  readonly pausedAt: Millis | null;
  readonly pauseReason: string;
  /** Notices in a row that could not be delivered. */
  readonly failures: number;
  readonly loopsStopped: number;
  /** Why the newest of them was stopped. */
  readonly loopReason: string;
  readonly aboveSince: Millis | null;
  readonly firing: boolean;
  /** Changes with every change of what was asked for. */
  readonly version: number;
  readonly createdAt: Millis;
  readonly changedAt: Millis;
};
