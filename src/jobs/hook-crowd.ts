import type { HookEvent } from "./hook.ts";
import type { JobState } from "./states.ts";

/** Hooks that are told of the same change of a job. `type` empty: they ask for none. */
export type Crowd = { readonly state: JobState; readonly type: string; readonly hooks: number };

/**
 * The largest crowd that a hook would stand in with `others`: each change of a job is written down
 * once for each of them, in one commit. Labels count for nothing, for a job may have them all.
 */
export const crowdAround = (event: HookEvent, others: readonly HookEvent[]): Crowd | null => {
  if (event.kind !== "jobs") return null;
  let largest: Crowd | null = null;
  for (const state of event.states) {
    const crowd = crowdOf(state, event.types, others);
    if (largest === null || crowd.hooks > largest.hooks) largest = crowd;
  }
  return largest;
};

const crowdOf = (
  state: JobState,
  types: readonly string[],
  others: readonly HookEvent[],
): Crowd => {
  const named = new Map<string, number>();
  let ofAll = 1;
  for (const other of others) {
    if (other.kind !== "jobs" || !other.states.includes(state)) continue;
    if (other.types.length === 0) ofAll += 1;
    for (const type of other.types) named.set(type, (named.get(type) ?? 0) + 1);
  }
  let most = { type: "", hooks: 0 };
  for (const type of types.length === 0 ? named.keys() : types) {
    const hooks = named.get(type) ?? 0;
    if (hooks > most.hooks) most = { type, hooks };
  }
  return { state, type: most.type, hooks: ofAll + most.hooks };
};
