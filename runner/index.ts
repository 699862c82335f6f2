/**
 * The public module `millrace/runner`: an application brings its own job types, as handlers in its
 * own process. docs/handlers.md tells how.
 */
import { Code, ConnectError } from "@connectrpc/connect";

import { systemClock } from "../src/runtime/clock.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { silentObserver } from "./observer.ts";
import { createRunnerCore } from "./core.ts";
import { DEFAULT_DRAIN_SECONDS, DEFAULT_SLOTS, hereName } from "./defaults.ts";
import { handlerExecutors } from "./executors/handlers.ts";
import { attemptEnds } from "./attempt-ends.ts";
import { checkOptions, type RunnerOptions } from "./options.ts";
import { DEFAULT_LIMITS } from "./sandbox/limits.ts";
import { stderrLog } from "./stderr-log.ts";
import { refusesUs } from "./verdict.ts";

export { defineHandler, JobError } from "./handler.ts";
export type { Handler, HandlerContext, InputOf, Job, Json, Progress, ResultOf } from "./handler.ts";
export { RunnerOptionsFault } from "./options.ts";
export type { AttemptEnd, RunnerOptions } from "./options.ts";

/** It starts once and stops once; whoever asks again waits for the same end. */
export type Runner = {
  /**
   * Resolves when a server has answered; until one is there it waits. @throws Error if the server
   * refuses the credential or is none, if `signal` aborts, or if the runner was stopped
   */
  start(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Takes no new work, waits `drainSeconds` for what runs, then gives it up: the signals of those
   * handlers abort, and the servers give their jobs to others at once. Never rejects.
   */
  stop(): Promise<void>;
};

const DEFAULT_GRACE_SECONDS = 10;

/** Not started yet. @throws RunnerOptionsFault */
export const createRunner = <Inputs>(options: RunnerOptions<Inputs>): Runner => {
  checkOptions(options);
  const { url, credential = "", log = stderrLog, onAttemptEnd } = options;
  const core = createRunnerCore({
    internalUrl: url,
    token: credential,
    slots: options.slots ?? DEFAULT_SLOTS,
    drainMs: (options.drainSeconds ?? DEFAULT_DRAIN_SECONDS) * 1_000,
    displayName: options.displayName ?? hereName(),
    limits: DEFAULT_LIMITS,
    log,
    observer: silentObserver,
    clock: systemClock,
    random: systemRandom,
    executors: () =>
      handlerExecutors(options.handlers, {
        clock: systemClock,
        log,
        graceMs: (options.graceSeconds ?? DEFAULT_GRACE_SECONDS) * 1_000,
        ended: onAttemptEnd === undefined ? () => {} : attemptEnds(onAttemptEnd, log),
      }),
  });
  let starting: Promise<void> | null = null;
  let stopping: Promise<void> | null = null;

  const stop = async (): Promise<void> => {
    stopping ??= core.stop();
    await stopping;
  };

  const start = async (): Promise<void> => {
    try {
      await core.start();
    } catch (cause) {
      throw startFailure(url, ConnectError.from(cause));
    }
  };

  return {
    start: async ({ signal } = {}) => {
      signal?.throwIfAborted();
      if (stopping !== null) throw new Error("the runner was stopped: create another");
      starting ??= start();
      if (signal === undefined) return await starting;
      await unlessAborted(starting, signal, stop);
    },
    stop,
  };
};

/** Waits no longer once `signal` has aborted: `stop` takes its time with a server that is silent. */
const unlessAborted = async (
  starting: Promise<void>,
  signal: AbortSignal,
  stop: () => Promise<void>,
): Promise<void> => {
  const aborting = Promise.withResolvers<never>();
  const aborted = (): void => {
    void stop();
    aborting.reject(signal.reason);
  };
  signal.addEventListener("abort", aborted, { once: true });
  try {
    await Promise.race([starting, aborting.promise]);
  } finally {
    signal.removeEventListener("abort", aborted);
  }
};

const startFailure = (url: string, cause: ConnectError): Error => {
  if (cause.code === Code.Unimplemented) {
    const message = `${url} answers, but has no work for runners: the internal listener of a server is needed`;
    return new Error(message, { cause });
  }
  return refusesUs(cause)
    ? new Error(`${url} refuses the credential: ${cause.rawMessage}`, { cause })
    : new Error("the runner was stopped before a server answered", { cause });
};
