import type { ShardId } from "../store/store.ts";
import type { ShardStats } from "./observer.ts";
import type { ShardState } from "./state.ts";

/** Counts by walking over the organizations, not over their jobs. Who waits for a key is not starved. */
export const statsOf = (shardId: ShardId, state: ShardState): ShardStats => {
  let active = 0;
  let running = 0;
  let queued = 0;
  let oldestQueuedAt: number | null = null;
  for (const organization of state.organizations()) {
    active += organization.jobs.size;
    running += organization.running;
    queued += organization.queued;
    for (const { queue } of organization.lanes()) {
      const at = queue.oldestQueuedAt();
      if (at !== null) oldestQueuedAt = Math.min(oldestQueuedAt ?? at, at);
    }
  }
  return { shardId, queued, running, waiting: active - running - queued, oldestQueuedAt };
};
