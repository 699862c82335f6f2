import type { HookEvent, HookRow } from "./hook.ts";
import type { Millis } from "./job.ts";

export type Threshold = Extract<HookEvent, { readonly kind: "threshold" }>;

export type ThresholdEvent = "threshold.above" | "threshold.below";

type Seen = Pick<HookRow, "aboveSince" | "firing">;

/**
 * What a threshold is after it was looked at, and what is to be told. It is told once when the number
 * has been over the limit for so long, and once when it is not any more.
 */
export const looked = (
  { aboveSince, firing }: Seen,
  isOver: boolean,
  forMs: number,
  now: Millis,
): Seen & { readonly event: ThresholdEvent | null } => {
  if (!isOver) return { aboveSince: null, firing: false, event: firing ? "threshold.below" : null };
  const since = aboveSince ?? now;
  const fires = !firing && now - since >= forMs;
  return { aboveSince: since, firing: firing || fires, event: fires ? "threshold.above" : null };
};
