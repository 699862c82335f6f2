import type { ActiveJob } from "./active-job.ts";
import { cancelOne, WITH_PARENT } from "./commands/cancel.ts";
import { wake } from "./rest.ts";
import type { Turn } from "./turn.ts";

/** Parents that waited for these jobs go on; children of those that were cancelled are cancelled too. */
export const settleFamilies = (turn: Turn, ended: readonly ActiveJob[]): void => {
  for (const job of ended) {
    const { families } = job.organization;
    const waiter = families.waiterOf(job);
    if (waiter !== undefined) wake(turn, waiter, job.row.id);
    if (job.row.state !== "CANCELLED") continue;
    for (const child of families.childrenOf(job.row.id)) cancelOne(turn, child, WITH_PARENT);
  }
};
