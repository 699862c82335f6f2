import type { Clock } from "../../src/runtime/clock.ts";
import type { Isolation } from "./choose.ts";
import { NO_DEMAND, peak, seen, WINDOW_MS } from "./demand.ts";

/** How many fresh children there should be. */
export type Readiness = {
  /** `kept`: no more than these stay. */
  of(waiting: number): { readonly wanted: number; readonly kept: number };
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

/**
 * Where every attempt takes a fresh child, they follow the demand. Otherwise they are the spares: who
 * waits is mostly served by a child that served him before, and one that was started for him in vain
 * stays for whoever comes new.
 */
export const createReadiness = (options: ReadinessOptions): Readiness => {
  const { clock, isolation, slots, spares } = options;
  if (isolation !== "process") {
    const standing = { wanted: spares, kept: Number.POSITIVE_INFINITY };
    return { of: () => standing, note: () => {}, stop: () => {} };
  }
  let demand = NO_DEMAND;
  let cancelLook: (() => void) | null = null;

  const readyFor = (): number => {
    const lately = Math.min(slots, peak(demand, clock.monotonic()));
    if (lately <= spares) return spares;
    cancelLook ??= clock.after(WINDOW_MS, () => {
      cancelLook = null;
      options.look();
    });
    return lately;
  };

  return {
    of: (waiting) => {
      const wanted = waiting + readyFor();
      return { wanted, kept: wanted };
    },
    note: (atOnce) => {
      demand = seen(demand, atOnce, clock.monotonic());
    },
    stop: () => cancelLook?.(),
  };
};
