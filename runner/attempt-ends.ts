import type { Log } from "../src/runtime/log.ts";
import type { HandlerEnd } from "./executors/handler-attempt.ts";
import { logFacts } from "./log-facts.ts";
import type { AttemptEnd } from "./options.ts";

/** Tells the application how an attempt ended. What its callback throws harms no job. */
export const attemptEnds =
  (tell: (end: AttemptEnd) => void, log: Log) =>
  ({ assignment, ending, thrown, runMs }: HandlerEnd): void => {
    const { ref, capability } = assignment;
    try {
      tell({
        handler: capability.slice("handler:".length),
        jobId: ref.jobId,
        organizationId: ref.organizationId,
        attempt: ref.attempt,
        outcome: ending.kind,
        code: ending.kind === "failed" ? ending.error.code : "",
        runMs,
        error: thrown,
      });
    } catch (cause) {
      log.error({ err: cause, ...logFacts(ref) }, "onAttemptEnd threw");
    }
  };
