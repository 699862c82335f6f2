import { type Millis, WITH_ITS_WORKFLOW } from "../jobs/job.ts";
import type { ActiveJob } from "./active-job.ts";

/** When a job that ended then may be removed; null for one that lives. */
export const purgeTime = (
  { organization, row }: ActiveJob,
  endedAt: Millis | null,
): Millis | null => {
  if (endedAt === null) return null;
  return row.workflowId === "" ? endedAt + organization.limits.retentionMs : WITH_ITS_WORKFLOW;
};
