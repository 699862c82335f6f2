import type { JobId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { ShardSnapshot } from "../store/store.ts";
import { ActiveJob } from "./active-job.ts";
import { OpenPoints } from "./open-points.ts";
import { ShardState } from "./state.ts";

/** About 50 ms. */
const CHUNK = 10_000;

/**
 * The state that the committed rows stand for: recovery and start are the same path. `pause` lets
 * others have their turn: a million jobs take seconds, and leases have to be renewed meanwhile.
 */
export const stateOf = async (
  snapshot: ShardSnapshot,
  pause: () => Promise<void>,
): Promise<ShardState> => {
  const { revision, jobs, organizations, workflows, metricsClosedUntil } = snapshot;
  const state = new ShardState(new OpenPoints(revision, metricsClosedUntil));
  for (const limits of organizations) state.admit(limits);
  let count = 0;
  for (const row of [...jobs].sort(byArrival)) {
    state.add(row);
    count += 1;
    if (count % CHUNK === 0) await pause();
  }
  for (const row of snapshot.unsettled) {
    const { organizationId, id } = row;
    const organization = state.organization(organizationId);
    if (organization === undefined) continue;
    const job = state.find(organizationId, id) ?? new ActiveJob(row, organization);
    state.unsettled.add({ job, tie: 0, isNoted: true });
  }
  for (const [id, count] of snapshot.untold) state.untold.add(id, count);
  for (const rows of workflows) {
    const { organizationId } = rows.workflow;
    // For those that wait, an upstream has ended when that has been settled.
    const counts = (id: JobId): boolean =>
      state.find(organizationId, id) !== undefined ||
      state.unsettled.find(organizationId, id) !== undefined;
    state.workflows.add(rows).countWaits(counts);
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
