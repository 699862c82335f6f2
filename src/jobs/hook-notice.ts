/** What hooks say that is not of a job. */
import type { HookRow, ThresholdMetric } from "./hook.ts";
import type { JsonText, Millis } from "./job.ts";
import { noticeBody } from "./notice.ts";

const facts = ({ organizationId, id, name }: HookRow) => ({
  organization_id: organizationId,
  hook_id: id,
  hook_name: name,
});

/** Says nothing but that it arrives. */
export const testNotice = (hook: HookRow, at: Millis): JsonText =>
  noticeBody("hook.test", at, facts(hook));

export type ThresholdEvent = "threshold.above" | "threshold.below";

export type Crossing = {
  readonly event: ThresholdEvent;
  readonly metric: ThresholdMetric;
  /** Empty: all jobs of the organization. */
  readonly type: string;
  readonly above: number;
  /** As it was found. */
  readonly value: number;
};

/** A number went above its limit and stayed there for long enough, or came back. */
export const thresholdNotice = (
  hook: HookRow,
  { event, metric, type, above, value }: Crossing,
  at: Millis,
): JsonText =>
  noticeBody(event, at, {
    ...facts(hook),
    metric: `THRESHOLD_METRIC_${metric}`,
    type,
    above,
    value,
  });
