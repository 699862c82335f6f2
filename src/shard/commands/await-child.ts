/** What happens in the shard while a running job waits for a job that it submitted. */
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import type { JobId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { AttemptRef } from "../../jobs/report.ts";
import type { ActiveJob } from "../active-job.ts";
import { rest, wake } from "../rest.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";
import { isAttemptOf, leaseLost } from "./report.ts";

/**
 * Lets an attempt rest until that child of it has ended; answers with the child as it is. Writes
 * nothing.
 * Refuses with LEASE_LOST, JOB_NOT_FOUND, and JOB_CONFLICT if the child could never start.
 */
export const restFor = (ref: AttemptRef, childId: JobId): Command<JobRow | JobFault> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    const { organizationId } = ref;
    for (const id of [ref.jobId, childId]) {
      if (state.find(organizationId, id) === undefined) wanted.jobs.push({ organizationId, id });
    }
  },
  apply: (turn) => {
    const { organizationId, jobId } = ref;
    const parent = turn.state.find(organizationId, jobId);
    if (parent?.row.state !== "RUNNING" || !isAttemptOf(parent.row, ref)) return leaseLost(ref);
    const row = turn.row(organizationId, childId);
    if (row?.parentId !== jobId) return jobNotFound(childId);
    const child = turn.state.find(organizationId, childId);
    if (child === undefined) return row;
    const holder = holderAbove(turn, child);
    if (holder !== null) return neverStarts(child.row, holder);
    rest(turn, parent, child);
    return row;
  },
});

/** The attempt waits for that child no more. What is so already stays so. */
export const wakeFrom = (ref: AttemptRef, childId: JobId): Command<void> => ({
  weight: 1,
  bytes: 0,
  want: () => {},
  apply: (turn) => {
    const parent = turn.state.find(ref.organizationId, ref.jobId);
    if (parent !== undefined && isAttemptOf(parent.row, ref)) wake(turn, parent, childId);
  },
});

/** The parent, or a parent of it, that holds the key for which this job waits. */
const holderAbove = (turn: Turn, { organization, row }: ActiveJob): ActiveJob | null => {
  if (row.concurrencyKey === "" || row.state === "RUNNING") return null;
  const holder = organization.holderOf(row.concurrencyKey);
  if (holder === null) return null;
  let above = turn.state.find(row.organizationId, row.parentId as JobId);
  while (above !== undefined && above !== holder) {
    const { parentId } = above.row;
    above = parentId === "" ? undefined : turn.state.find(row.organizationId, parentId);
  }
  return above ?? null;
};

const neverStarts = ({ id, concurrencyKey }: JobRow, holder: ActiveJob): JobFault =>
  new JobFault(
    "JOB_CONFLICT",
    `The job ${id} waits for the concurrency key that ${holder.row.id} holds, which waits for it.`,
    { metadata: { concurrency_key: concurrencyKey } },
  );
