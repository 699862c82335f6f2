import type { JobRow } from "../jobs/job.ts";
import type { ShardSnapshot } from "../store/store.ts";
import { ShardState } from "./state.ts";

/** The state that the committed rows stand for: recovery and start are the same path. */
export const stateOf = ({ jobs, organizations }: ShardSnapshot): ShardState => {
  const state = new ShardState();
  for (const limits of organizations) state.admit(limits);
  for (const row of [...jobs].sort(byArrival)) state.add(row);
  return state;
};

/** First in, first out holds over a restart; a rescued job kept its place. */
const byArrival = (a: JobRow, b: JobRow): number =>
  (a.queuedAt ?? 0) - (b.queuedAt ?? 0) || (a.id < b.id ? -1 : 1);
