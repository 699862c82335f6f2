import type { AttemptRef } from "./executor.ts";

/** Which attempt a line of the log speaks of, in the names that all lines have. */
export const logFacts = ({
  organizationId,
  jobId,
  attempt,
}: Omit<AttemptRef, "leaseToken">): {
  readonly organization_id: string;
  readonly job_id: string;
  readonly attempt: number;
} => ({ organization_id: organizationId, job_id: jobId, attempt });
