import type { Span } from "@opentelemetry/api";

import type { Steps } from "./executor.ts";
import { spansBelow } from "./spans.ts";

/** A span for each step that has ended: the time until its result is durable. */
export const spannedSteps = (steps: Steps, attempt: Span): Steps => {
  if (!attempt.isRecording()) return steps;
  const start = spansBelow(attempt);
  return {
    find: steps.find,
    finish: async (name, result) => {
      const span = start("step", { attributes: { "millrace.step": name } });
      try {
        await steps.finish(name, result);
      } finally {
        span.end();
      }
    },
  };
};
