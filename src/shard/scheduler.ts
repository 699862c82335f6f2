import type { Capability, LeaseToken, RunnerId } from "../jobs/ids.ts";
import { start } from "../jobs/transitions.ts";
import type { ActiveJob } from "./active-job.ts";
import type { Organization } from "./organization.ts";
import type { SlotSource } from "./slots.ts";
import type { Turn } from "./turn.ts";

export type Placement = { readonly job: ActiveJob; readonly runnerId: RunnerId };

/**
 * Gives free slots to QUEUED jobs. Organizations take turns, one job each; within an organization
 * the highest priority goes first, then the one that has waited longest. Nobody exceeds its limit
 * of running jobs, and no concurrency key runs twice.
 */
export const schedule = (
  turn: Turn,
  slots: SlotSource,
  newLease: () => LeaseToken,
): Placement[] => {
  const placements: Placement[] = [];
  const open = new Set(slots.capabilities());
  for (const capability of open) {
    const ready = turn.state.ready.get(capability);
    while (open.has(capability) && ready !== undefined && ready.size > 0) {
      const [organization] = ready;
      if (organization === undefined) break;
      const job = nextOf(turn, organization, open);
      if (job === null) continue;
      const runnerId = slots.take(job.row.capability);
      if (runnerId === null) {
        open.delete(job.row.capability);
        continue;
      }
      turn.change(job, start(job.row, { runnerId, leaseToken: newLease() }, turn.now));
      placements.push({ job, runnerId });
      yieldTurn(turn, organization);
    }
  }
  return placements;
};

/** Capabilities for which some job could start at once if only there were a slot. */
export const starved = (turn: Turn): Set<Capability> => new Set(turn.state.ready.keys());

/**
 * The best job of an organization among the open capabilities; null after parking one whose key
 * is taken, which may have been the last.
 */
const nextOf = (
  turn: Turn,
  organization: Organization,
  open: ReadonlySet<Capability>,
): ActiveJob | null => {
  let best: ActiveJob | null = null;
  for (const capability of open) {
    const job = organization.queues.get(capability)?.peek();
    if (job !== undefined && (best === null || goesBefore(job, best))) best = job;
  }
  if (best === null) return null;
  const lock = organization.keys.get(best.row.concurrencyKey);
  if (lock !== undefined && lock.holder !== null) {
    turn.state.park(best);
    return null;
  }
  return best;
};

const goesBefore = (a: ActiveJob, b: ActiveJob): boolean =>
  a.row.priority !== b.row.priority
    ? a.row.priority > b.row.priority
    : (a.row.queuedAt ?? 0) < (b.row.queuedAt ?? 0);

/** To the end of every line in which the organization still stands. */
const yieldTurn = (turn: Turn, organization: Organization): void => {
  for (const capability of organization.queues.keys()) {
    const ready = turn.state.ready.get(capability);
    if (ready?.delete(organization) === true) ready.add(organization);
  }
};
