import type { JobId, RunnerId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { ActiveJob } from "./active-job.ts";
import { isOnRunner } from "./state.ts";
import type { Turn } from "./turn.ts";

/** What a turn does to slots of runners by jobs that wait for others, to be told to `Slots`. */
export type SlotNote = {
  readonly runnerId: RunnerId;
  readonly what: "leave" | "await";
  readonly change: 1 | -1;
};

const noted = (turn: Turn, row: JobRow, what: SlotNote["what"], change: 1 | -1): void => {
  if (row.state !== "RUNNING" || !isOnRunner(row)) return;
  turn.slotNotes.push({ runnerId: row.runnerId as RunnerId, what, change });
};

/** A running job waits for a child of its own: its slot is kept for such jobs meanwhile. */
export const rest = (turn: Turn, parent: ActiveJob, child: ActiveJob): void => {
  const { organization, row } = parent;
  const { families } = organization;
  if (!families.rests(parent)) noted(turn, row, "leave", 1);
  if (families.waiterOf(child) === undefined) noted(turn, child.row, "await", 1);
  organization.rest(parent, child);
  turn.state.resting.add(organization);
};

/** It waits for that child no more. To be called before the child's own end has been forgotten. */
export const wake = (turn: Turn, parent: ActiveJob, childId: JobId): void => {
  const { organization, row } = parent;
  const { families } = organization;
  if (!families.rests(parent)) return;
  const child = organization.jobs.get(childId);
  if (child !== undefined && families.waiterOf(child) === parent)
    noted(turn, child.row, "await", -1);
  organization.wake(parent, childId);
  if (!families.rests(parent)) noted(turn, row, "leave", -1);
  if (families.resting === 0) turn.state.resting.delete(organization);
};

/** It stops: it counts again, so that it is counted off once. */
export const wakeWholly = (turn: Turn, parent: ActiveJob): void => {
  for (const child of parent.organization.families.waitedFor(parent)) wake(turn, parent, child);
};

/** A job that is waited for starts, or stops, on its runner. */
export const noteAwaited = (turn: Turn, job: ActiveJob, row: JobRow, change: 1 | -1): void => {
  if (job.organization.families.waiterOf(job) !== undefined) noted(turn, row, "await", change);
};
