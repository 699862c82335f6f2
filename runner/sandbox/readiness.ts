import type { Clock } from "../../src/runtime/clock.ts";
import type { Isolation } from "./choose.ts";
import { NO_DEMAND, peak, seen, WINDOW_MS } from "./demand.ts";

/** How many fresh children there should be that nobody waits for yet. */
export type Readiness = {
  wanted(): number;
  /** So many attempts run or wait. */
  note(atOnce: number): void;
  stop(): void;
};

export type ReadinessOptions = {
  readonly clock: Clock;
  readonly isolation: Isolation;
  readonly slots: number;
  readonly spares: number;
  /** Fewer may be wanted now. */
  readonly look: () => void;
};

/** Where every attempt takes a fresh child, they follow the demand; otherwise they are the spares. */
export const createReadiness = (options: ReadinessOptions): Readiness => {
  const { clock, isolation, slots, spares } = options;
  if (isolation !== "process") return { wanted: () => spares, note: () => {}, stop: () => {} };
  let demand = NO_DEMAND;
  let cancelLook: (() => void) | null = null;

  return {
    wanted: () => {
      const lately = Math.min(slots, peak(demand, clock.monotonic()));
      if (lately <= spares) return spares;
      cancelLook ??= clock.after(WINDOW_MS, () => {
        cancelLook = null;
        options.look();
      });
      return lately;
    },
    note: (atOnce) => {
      demand = seen(demand, atOnce, clock.monotonic());
    },
    stop: () => cancelLook?.(),
  };
};
