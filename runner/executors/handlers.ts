import { createDeadlines } from "../deadlines.ts";
import type { Executor } from "../executor.ts";
import type { Handler } from "../handler.ts";
import { type HandlerOptions, runHandler } from "./handler-attempt.ts";

/** Executors for the capabilities `handler:<name>`. */
export const handlerExecutors = (
  handlers: Readonly<Record<string, Handler>>,
  options: HandlerOptions,
): ReadonlyMap<string, Executor> => {
  const deadlines = createDeadlines(options.clock);
  return new Map(
    Object.entries(handlers).map(([name, handler]) => [
      `handler:${name}`,
      {
        execute: async (assignment, report, signal) =>
          await runHandler(handler, assignment, report, signal, { ...options, deadlines }),
      },
    ]),
  );
};
