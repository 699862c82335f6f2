import type { JobId, RunnerId } from "../jobs/ids.ts";
import type { ActiveJob } from "./active-job.ts";
import { isOnRunner } from "./state.ts";
import type { Turn } from "./turn.ts";

/** A running job waits for a child of its own: its slot is free meanwhile. */
export const rest = (turn: Turn, parent: ActiveJob, child: ActiveJob): void => {
  const { organization, row } = parent;
  if (!organization.families.rests(parent) && isOnRunner(row)) {
    turn.released.push(row.runnerId as RunnerId);
  }
  organization.rest(parent, child);
  turn.state.resting.add(organization);
};

/** It waits for that child no more. */
export const wake = (turn: Turn, parent: ActiveJob, childId: JobId): void => {
  const { organization, row } = parent;
  if (organization.wake(parent, childId) && isOnRunner(row)) {
    turn.takenBack.push(row.runnerId as RunnerId);
  }
  if (organization.families.resting === 0) turn.state.resting.delete(organization);
};

/** It stops: it counts again, so that it is counted off once. */
export const wakeWholly = (turn: Turn, parent: ActiveJob): void => {
  for (const child of parent.organization.families.waitedFor(parent)) wake(turn, parent, child);
};
