/** What hooks say that is not of one job. The form is that of Standard Webhooks. */
import type { HookRow, ThresholdMetric } from "./hook.ts";
import type { JsonText, Millis } from "./job.ts";

const noticeOf = (type: string, at: Millis, data: object): JsonText =>
  JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });

const named = ({ id, name }: HookRow): object => ({ id, name });

/** Says nothing but that it arrives. */
export const testNotice = (hook: HookRow, at: Millis): JsonText =>
  noticeOf("hook.test", at, { hook: named(hook) });

export type Crossing = {
  readonly event: "threshold.above" | "threshold.below";
  readonly metric: ThresholdMetric;
  /** Empty: all jobs of the organization. */
  readonly type: string;
  readonly limit: number;
  /** As it was found. */
  readonly value: number;
};

/** A number went above its limit and stayed there for long enough, or came back. */
export const thresholdNotice = (
  hook: HookRow,
  { event, metric, type, limit, value }: Crossing,
  at: Millis,
): JsonText =>
  noticeOf(event, at, {
    organization_id: hook.organizationId,
    hook: named(hook),
    threshold: { metric, type, above: limit, value },
  });
