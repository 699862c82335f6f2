import { JobFault } from "../jobs/errors.ts";

/** The shard is loading, stopping, or another server's. */
export const unavailable = (): JobFault =>
  new JobFault("SHARD_UNAVAILABLE", "This part of the service is moving. Try again shortly.", {
    retryAfterMs: 500,
  });

/** More waits for the database than memory should hold. */
export const overloaded = (): JobFault =>
  new JobFault("SHARD_UNAVAILABLE", "Too much waits to be written already. Try again shortly.", {
    retryAfterMs: 1_000,
  });

export const orThrow = <Row>(outcome: Row | JobFault): Row => {
  if (outcome instanceof JobFault) throw outcome;
  return outcome;
};
