/** What hooks say that is not of a job. */
import type { HookRow } from "./hook.ts";
import type { JsonText, Millis } from "./job.ts";
import { noticeBody } from "./notice.ts";
import type { Threshold, ThresholdEvent } from "./threshold.ts";

/** Of a hook that is tried out by hand. */
export const TEST_EVENT = "hook.test";

const facts = ({ organizationId, id, name }: HookRow) => ({
  organization_id: organizationId,
  hook_id: id,
  hook_name: name,
});

/** Says nothing but that it arrives. */
export const testNotice = (hook: HookRow, at: Millis): JsonText =>
  noticeBody(TEST_EVENT, at, facts(hook));

/** A number went above its limit and stayed there for long enough, or came back to `value`. */
export const thresholdNotice = (
  hook: HookRow,
  { metric, type, above }: Threshold,
  event: ThresholdEvent,
  value: number,
  at: Millis,
): JsonText =>
  noticeBody(event, at, {
    ...facts(hook),
    metric: `THRESHOLD_METRIC_${metric}`,
    type,
    above,
    value,
  });
