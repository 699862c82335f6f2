import type { ContextName } from "../surface/context.ts";
import type { Attempt } from "./bridge.ts";
import type { Calls } from "./calls.ts";
import type { Cancellation } from "./cancellation.ts";
import { createChildren } from "./children.ts";
import type { Output } from "./output.ts";
import { freeze, toText } from "./primordials.ts";
import type { Progress } from "./progress.ts";
import { createStep } from "./step.ts";
import { sleeper, type Timers } from "./timers.ts";

type Parts = {
  readonly attempt: Attempt;
  readonly output: Output;
  readonly cancellation: Cancellation;
  readonly timers: Timers;
  readonly progress: Progress;
  readonly calls: Calls;
};

/** The `ctx` of a script. types/guest.d.ts says what it promises. */
export const createContext = ({
  attempt,
  output,
  cancellation,
  timers,
  progress,
  calls,
}: Parts): object =>
  freeze<Record<ContextName, unknown>>({
    jobId: attempt.jobId,
    attempt: attempt.attempt,
    get signal() {
      return cancellation.signal();
    },
    secrets: freeze(attempt.secrets),
    log: (...values: readonly unknown[]) => {
      output.print("LOG", values);
    },
    output: (text: unknown) => {
      output.write("STDOUT", toText(text));
    },
    progress: progress.report,
    step: createStep(attempt, calls),
    ...createChildren(calls),
    sleep: async (ms: unknown) => {
      if (cancellation.reason !== undefined) throw cancellation.reason;
      await sleeper(timers, ms, cancellation.whenAborted);
    },
  });
