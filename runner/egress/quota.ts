import { EGRESS_LIMITS } from "./limits.ts";
import { tooMany } from "./refusal.ts";

/** How many fetches an attempt may make, and how many at once; the others wait for their turn. */
export type Quota = {
  /** Resolves with what gives the turn back. @throws HostFault quota.fetches; the signal's reason */
  enter(signal: AbortSignal): Promise<() => void>;
};

export const createQuota = (): Quota => {
  const waiting: (() => void)[] = [];
  let made = 0;
  let open = 0;

  const leave = (): void => {
    const next = waiting.shift();
    // The turn goes to the next one as it is.
    if (next === undefined) open -= 1;
    else next();
  };

  return {
    enter: async (signal) => {
      made += 1;
      if (made > EGRESS_LIMITS.fetches) {
        throw tooMany(`more than ${EGRESS_LIMITS.fetches} fetches in one attempt`);
      }
      if (open < EGRESS_LIMITS.atOnce) open += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      if (signal.aborted) {
        leave();
        throw signal.reason;
      }
      return leave;
    },
  };
};
