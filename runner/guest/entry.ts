import { type Attempt, codedError, postAnyway, taken } from "./bridge.ts";
import { type Calls, createCalls } from "./calls.ts";
import { type Cancellation, createCancellation } from "./cancellation.ts";
import { createConsole } from "./console.ts";
import { createContext } from "./context.ts";
import { describe } from "./describe.ts";
import { createSend } from "./fetching.ts";
import { defineGlobals } from "./globals.ts";
import { createLibraries } from "./libraries.ts";
import { createOutput } from "./output.ts";
import { apply, jsonParse } from "./primordials.ts";
import { createProgress } from "./progress.ts";
import { resultText } from "./result.ts";
import { createTimers, soon, type Timers } from "./timers.ts";

/**
 * One attempt, as the isolate sees it. The host calls `begin` before the script's module is
 * evaluated, the trusted runner module calls `start` after it, the host calls `deliver` from then
 * on. The end is posted once; whatever a script does after it is lost with its isolate.
 */
type Running = {
  readonly attempt: Attempt;
  readonly input: string;
  readonly cancellation: Cancellation;
  readonly timers: Timers;
  readonly calls: Calls;
  readonly context: object;
  readonly flush: () => void;
};

let running: Running;
let ended = false;

export const begin = (attemptText: string, input: string): void => {
  const attempt = jsonParse(attemptText) as Attempt;
  const timers = createTimers(attempt.timers, failed);
  const output = createOutput(attempt);
  const progress = createProgress(timers);
  const calls = createCalls(attempt.calls);
  const libraries = createLibraries({
    timers,
    failed,
    entropy: attempt.entropy,
    send: (request) => send(request),
  });
  const cancellation = createCancellation(libraries, failed);
  const send = createSend(calls, cancellation);
  const context = createContext({ attempt, output, cancellation, timers, progress, calls });
  running = { attempt, input, cancellation, timers, calls, context, flush: progress.flush };
  defineGlobals({ console: createConsole(output), timers, libraries, soon, failed });
};

const failed = (thrown: unknown): void => {
  if (ended) return;
  const described = describe(thrown, running.attempt.fileName);
  if (ended) return;
  ended = true;
  running.flush();
  const { retryable } = described;
  postAnyway(
    "failed",
    described.code,
    described.message,
    described.stack,
    retryable === null ? "" : retryable ? "true" : "false",
  );
};

const succeeded = (result: unknown): void => {
  const text = resultText(result, running.attempt.resultBytes);
  if (ended) return;
  ended = true;
  running.flush();
  postAnyway("succeeded", text);
};

export const start = (module: { readonly default?: unknown }): void => {
  void run(module);
};

const run = async (module: { readonly default?: unknown }): Promise<void> => {
  try {
    const main = module.default;
    if (typeof main !== "function") {
      throw codedError(
        "script.no_default",
        "the module has no default export that is a function: export default async function (input, ctx) { … }",
      );
    }
    const input: unknown = jsonParse(running.input);
    succeeded(
      await apply(main as (...args: readonly unknown[]) => unknown, undefined, [
        input,
        running.context,
      ]),
    );
  } catch (thrown) {
    failed(thrown);
  }
};

/** What the host has to say. */
export const deliver = (
  event: "wake" | "cancelled" | "deadline" | "reply",
  call = 0,
  ok = false,
  payload = "",
): void => {
  taken();
  if (ended) return;
  switch (event) {
    case "reply":
      running.calls.settle(call, ok, payload);
      return;
    case "wake":
      running.timers.wake();
      return;
    case "cancelled":
      running.cancellation.abort("cancelled", "the job was cancelled", "AbortError");
      return;
    case "deadline":
      running.cancellation.abort(
        "timeout.wall",
        "the time of this attempt is nearly over",
        "TimeoutError",
      );
      return;
  }
};
