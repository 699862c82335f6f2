import { postAnyway } from "./bridge.ts";
import { nextProgress, NO_PROGRESS } from "./fraction.ts";
import { now } from "./primordials.ts";
import type { Timers } from "./timers.ts";

export type Progress = {
  /** A fraction, or an object of `fraction`, `done`, `total`, `step`, `steps`, `message`. */
  report(progress: unknown): void;
  /** Posts what was held back. */
  flush(): void;
};

/** At most 20 posts a second; in between the newest one wins. */
const GAP_MS = 50;

export const createProgress = (timers: Timers): Progress => {
  let state = NO_PROGRESS;
  let postedAt = -Infinity;
  let held = false;

  const flush = (): void => {
    if (!held) return;
    held = false;
    postedAt = now();
    postAnyway("progress", state.fraction, state.message, state.step, state.steps);
  };

  return {
    flush,
    report: (progress) => {
      state = nextProgress(state, progress);
      const wasHeld = held;
      held = true;
      if (now() - postedAt >= GAP_MS) flush();
      else if (!wasHeld) timers.set(flush, GAP_MS, [], false);
    },
  };
};
