import type { JobRow } from "../jobs/job.ts";
import type { ShardSnapshot } from "../store/store.ts";
import { OpenPoints } from "./open-points.ts";
import { ShardState } from "./state.ts";

/** About 50 ms. */
const CHUNK = 10_000;

/**
 * The state that the committed rows stand for: recovery and start are the same path. `pause` lets
 * others have their turn: a million jobs take seconds, and leases have to be renewed meanwhile.
 */
export const stateOf = async (
  { revision, jobs, organizations, workflows, metricsClosedUntil }: ShardSnapshot,
  pause: () => Promise<void>,
): Promise<ShardState> => {
  const state = new ShardState(new OpenPoints(revision, metricsClosedUntil));
  for (const limits of organizations) state.admit(limits);
  let count = 0;
  for (const row of [...jobs].sort(byArrival)) {
    state.add(row);
    count += 1;
    if (count % CHUNK === 0) await pause();
  }
  for (const rows of workflows) {
    const { organizationId } = rows.workflow;
    state.workflows.add(rows).countWaits((id) => state.find(organizationId, id) !== undefined);
    count += rows.steps.length + rows.edges.length;
    if (count > CHUNK) {
      count = 0;
      await pause();
    }
  }
  return state;
};

/** First in, first out holds over a restart; a rescued job kept its place. */
const byArrival = (a: JobRow, b: JobRow): number =>
  (a.queuedAt ?? 0) - (b.queuedAt ?? 0) || (a.id < b.id ? -1 : 1);
