import type { Attempt } from "./bridge.ts";
import type { Calls } from "./calls.ts";
import type { Output } from "./output.ts";
import { freeze, toText } from "./primordials.ts";
import type { Progress } from "./progress.ts";
import type { GuestSignal } from "./signal.ts";
import { createStep } from "./step.ts";
import { sleeper, type Timers } from "./timers.ts";

type Parts = {
  readonly attempt: Attempt;
  readonly output: Output;
  readonly signal: GuestSignal;
  readonly timers: Timers;
  readonly progress: Progress;
  readonly calls: Calls;
};

/** The `ctx` of a script. types/guest.d.ts says what it promises. */
export const createContext = ({
  attempt,
  output,
  signal,
  timers,
  progress,
  calls,
}: Parts): object =>
  freeze({
    jobId: attempt.jobId,
    attempt: attempt.attempt,
    signal,
    log: (...values: readonly unknown[]) => {
      output.print("LOG", values);
    },
    output: (text: unknown) => {
      output.write("STDOUT", toText(text));
    },
    progress: progress.report,
    step: createStep(attempt, calls),
    sleep: async (ms: unknown) => {
      signal.throwIfAborted();
      await sleeper(timers, ms, (abort) => {
        const listener = (): void => {
          abort(signal.reason);
        };
        signal.addEventListener("abort", listener);
        return () => {
          signal.removeEventListener("abort", listener);
        };
      });
    },
  });
