import { JobFault } from "../jobs/errors.ts";
import type { JobRow } from "../jobs/job.ts";
import { LIMITS } from "../jobs/limits.ts";
import type { Patch } from "../jobs/transitions.ts";
import type { Turn } from "./turn.ts";

/** Why a job cannot be submitted by the one that it names as its parent; null if it can, or names none. */
export const whyNoChild = (turn: Turn, { organizationId, parentId }: JobRow): JobFault | null => {
  if (parentId === "") return null;
  const parent = turn.state.find(organizationId, parentId)?.row;
  if (parent?.state !== "RUNNING") {
    return new JobFault("JOB_NOT_RUNNING", "The job that submits this one does not run any more.", {
      metadata: { job_id: parentId },
    });
  }
  if (parent.childCount >= LIMITS.children) {
    return new JobFault(
      "TOO_MANY_CHILDREN",
      `The job ${parentId} has submitted ${LIMITS.children} jobs, which is the most.`,
      { metadata: { job_id: parentId, limit: String(LIMITS.children) } },
    );
  }
  if (parent.depth >= LIMITS.childDepth) {
    return new JobFault(
      "CHILD_TOO_DEEP",
      `The job ${parentId} has ${LIMITS.childDepth} parents above it: it may submit no other.`,
      { metadata: { job_id: parentId, limit: String(LIMITS.childDepth) } },
    );
  }
  return null;
};

/** What a child has from its parent, which counts it. */
export const bornOf = (turn: Turn, { organizationId, parentId }: JobRow): Patch | null => {
  const parent = parentId === "" ? undefined : turn.state.find(organizationId, parentId);
  if (parent === undefined) return null;
  const { depth, hookChain } = turn.change(parent, {
    childCount: parent.row.childCount + 1,
  });
  return { depth: depth + 1, hookChain };
};
