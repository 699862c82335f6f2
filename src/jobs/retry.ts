/** When a failed attempt is followed by another. */
export type RetryPolicy = {
  readonly maxRetries: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly multiplier: number;
  /** 0 to 1: the fraction by which a delay is shortened or lengthened. */
  readonly jitter: number;
};

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxRetries: 3,
  initialBackoffMs: 1_000,
  maxBackoffMs: 600_000,
  multiplier: 2,
  jitter: 0.2,
};

/**
 * Milliseconds to wait before retry number `retry` (counts from 1).
 * `random` is in [0, 1): 0.5 gives the delay without jitter.
 */
export const backoffMs = (policy: RetryPolicy, retry: number, random: number): number => {
  const exact = policy.initialBackoffMs * policy.multiplier ** (retry - 1);
  const bounded = Math.min(exact, policy.maxBackoffMs);
  return Math.round(bounded * (1 + policy.jitter * (2 * random - 1)));
};
