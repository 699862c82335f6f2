import type { Capability, LeaseToken, RunnerId } from "../jobs/ids.ts";
import { holdBack, start } from "../jobs/transitions.ts";
import type { ActiveJob } from "./active-job.ts";
import type { SlotSource } from "./slots.ts";
import type { Turn } from "./turn.ts";

export type Placement = { readonly job: ActiveJob; readonly runnerId: RunnerId };

/**
 * Gives free slots to QUEUED jobs. Whose turn it is among organizations is decided by what they
 * have had (fair-line.ts); within an organization the highest priority goes first, then the job that
 * has waited longest. Nobody exceeds its limit of running jobs, no type its own, and no concurrency
 * key runs twice: jobs that must wait for such a limit stand in no line. Before all others, children take
 * the slots that their parents left to wait for them. A step of a workflow, one upstream of which was
 * given another attempt meanwhile, waits for that again.
 */
export const schedule = (
  turn: Turn,
  slots: SlotSource,
  newLease: () => LeaseToken,
): Placement[] => {
  const placements: Placement[] = [];
  const { lines } = turn.state;
  const open = new Set(slots.capabilities());
  const place = (job: ActiveJob, runnerId: RunnerId): void => {
    const { capability } = job.row;
    const abilities = slots.abilitiesOf(runnerId);
    const charge = lines.charge(job.organization, capability, abilities);
    turn.change(job, start(job.row, { runnerId, leaseToken: newLease() }, turn.now));
    job.charge = charge;
    placements.push({ job, runnerId });
  };
  for (const organization of turn.state.resting) {
    const full = new Set<Capability>();
    for (;;) {
      const job = organization.nextAwaited(full);
      if (job === null) break;
      const runnerId = slots.takeKept(job.row.capability);
      if (runnerId === null) full.add(job.row.capability);
      else place(job, runnerId);
    }
  }
  for (;;) {
    const job = lines.first(open)?.organization.next(open) ?? null;
    if (job === null) return placements;
    if (turn.state.workflows.waits(job.row)) {
      turn.change(job, holdBack(job.row));
      continue;
    }
    const { capability } = job.row;
    const runnerId = slots.take(capability);
    if (runnerId === null) open.delete(capability);
    else place(job, runnerId);
  }
};
