import type { ActiveJob } from "./active-job.ts";
import { cancelOne, WITH_PARENT } from "./commands/cancel.ts";
import { wake } from "./rest.ts";
import type { Room } from "./settle.ts";
import type { Turn } from "./turn.ts";

/** Parents that waited for these jobs go on. */
export const wakeParents = (turn: Turn, ended: readonly ActiveJob[]): void => {
  for (const job of ended) {
    const waiter = job.organization.families.waiterOf(job);
    if (waiter !== undefined) wake(turn, waiter, job.row.id);
  }
};

/**
 * Children of a job that was cancelled, or was asked to end, are cancelled too; each takes room. False
 * if there was not enough.
 */
export const settleChildren = (turn: Turn, job: ActiveJob, room: Room): boolean => {
  const { id, state, cancelRequestedAt } = job.row;
  if (state !== "CANCELLED" && cancelRequestedAt === null) return true;
  for (const child of job.organization.families.childrenOf(id)) {
    if (child.row.cancelRequestedAt !== null) continue;
    if (room.settled === 0) return false;
    room.settled -= 1;
    cancelOne(turn, child, WITH_PARENT);
  }
  return true;
};
