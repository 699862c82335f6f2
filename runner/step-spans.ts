import type { Span } from "@opentelemetry/api";

import type { Steps } from "./executor.ts";
import { spansBelow } from "./spans.ts";
import { STEP_LIMITS } from "./steps.ts";

/**
 * A span for each step that is run: from the question whether it has ended before until its result is
 * durable. A step that fails has none; its attempt says why.
 */
export const spannedSteps = (steps: Steps, attempt: Span): Steps => {
  if (!attempt.isRecording()) return steps;
  const start = spansBelow(attempt);
  const open = new Map<string, Span>();
  return {
    find: async (name) => {
      const found = await steps.find(name);
      if (found === undefined && open.size < STEP_LIMITS.steps) {
        open.set(name, start("step", { attributes: { "millrace.step": name } }));
      }
      return found;
    },
    finish: async (name, result) => {
      await steps.finish(name, result);
      open.get(name)?.end();
      open.delete(name);
    },
  };
};
