import { EXTERNAL, EXTERNAL_RUNNER } from "../jobs/ids.ts";
import type { SlotSource } from "./slots.ts";

/** Attempts that one turn starts at most, so that no commit grows with a backlog; the next goes on. */
export const EXTERNAL_STARTS = 1_000;

/** The slots of the runners, and for work that somebody else does as many as the limits allow. */
export const withExternal = (runners: SlotSource): SlotSource => {
  let left = EXTERNAL_STARTS;
  return {
    capabilities: () => [...runners.capabilities(), ...(left > 0 ? [EXTERNAL] : [])],
    take: (capability) => {
      if (capability !== EXTERNAL) return runners.take(capability);
      if (left === 0) return null;
      left -= 1;
      return EXTERNAL_RUNNER;
    },
    takeKept: (capability) => runners.takeKept(capability),
    abilitiesOf: (id) => (id === EXTERNAL_RUNNER ? [EXTERNAL] : runners.abilitiesOf(id)),
  };
};
