/** When a notice that could not be delivered is tried again: the schedule of Standard Webhooks. */
import type { Millis } from "./job.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** After the first try, which is made at once. All together are a little more than three days. */
export const DELIVERY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** A delay is longer by up to this fraction, so that what failed together does not come again together. */
export const DELIVERY_JITTER = 0.2;

/** A receiver that asks for more is asked again after this. */
export const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/**
 * When to try again after `tries` tries, the first of which was made at once; null: never. Not before
 * `notBefore`, which the receiver asked for. `random` is in [0, 1).
 */
export const nextDeliveryAt = (
  tries: number,
  now: Millis,
  random: number,
  notBefore: Millis | null,
): Millis | null => {
  const delay = DELIVERY_DELAYS_MS[tries - 1];
  if (delay === undefined) return null;
  const spread = now + Math.round(delay * (1 + DELIVERY_JITTER * random));
  const asked = Math.min(notBefore ?? now, now + LONGEST_RETRY_AFTER_MS);
  return Math.max(spread, asked);
};
