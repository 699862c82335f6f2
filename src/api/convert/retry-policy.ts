import type { RetryPolicy as WirePolicy } from "../../gen/millrace/v1/job_pb.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { RetryPolicy } from "../../jobs/retry.ts";
import type { Faults } from "./faults.ts";
import { durationWithin, numberWithin } from "./fields.ts";

/** Field by field: what is not given is taken from `standard`. `faults` speaks of the message around it. */
export const checkRetryPolicy = (
  faults: Faults,
  given: WirePolicy | undefined,
  standard: RetryPolicy,
): RetryPolicy => {
  const within = faults.inside("retry_policy.");
  return {
    maxRetries: numberWithin(
      within,
      "max_retries",
      given?.maxRetries ?? standard.maxRetries,
      LIMITS.retries,
    ),
    initialBackoffMs: durationWithin(
      within,
      "initial_backoff",
      given?.initialBackoff,
      LIMITS.initialBackoffMs,
      standard.initialBackoffMs,
    ),
    maxBackoffMs: durationWithin(
      within,
      "max_backoff",
      given?.maxBackoff,
      LIMITS.maxBackoffMs,
      standard.maxBackoffMs,
    ),
    multiplier: numberWithin(
      within,
      "multiplier",
      given?.multiplier ?? standard.multiplier,
      LIMITS.multiplier,
    ),
    jitter: numberWithin(within, "jitter", given?.jitter ?? standard.jitter, LIMITS.jitter),
  };
};
