import { type Clock, systemClock } from "../src/runtime/clock.ts";
import type { Service } from "../src/runtime/lifecycle.ts";
import { type Log, silentLog } from "../src/runtime/log.ts";
import { type Random, systemRandom } from "../src/runtime/random.ts";
import { createAttempts, type RunnerObserver, silentObserver } from "./attempts.ts";
import type { RunnerConfig } from "./config.ts";
import { connect } from "./connection.ts";
import type { Executor } from "./executor.ts";
import { scriptExecutor } from "./executors/script.ts";
import { createFleet } from "./fleet.ts";
import { createReporter } from "./reports.ts";
import { createScripts } from "./scripts.ts";
import { shareOf } from "./shares.ts";
import { createStepReader } from "./steps.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";
import { createSyncLoop } from "./sync.ts";
import { refusesUs } from "./verdict.ts";
import { assignmentOf, refOf } from "./wire.ts";

export { handlerExecutors } from "./executors/handlers.ts";
export type { Handler, HandlerContext, HandlerJob } from "./executors/handlers.ts";
export { readRunnerConfig, RunnerConfigFault } from "./config.ts";
export type { RunnerConfig, RunnerObserver };

export type RunnerOptions = {
  readonly config: RunnerConfig;
  /** By capability, besides `script`: trusted code of this process. */
  readonly executors?: ReadonlyMap<string, Executor>;
  /** False: no sandbox is started, and no scripts are taken. */
  readonly scripts?: boolean;
  readonly log?: Log;
  readonly observer?: RunnerObserver;
  readonly clock?: Clock;
  readonly random?: Random;
};

/**
 * A runner. `start` resolves with the first answer of a server; it throws if the sandbox does not
 * work or the server refuses the token. `stop` takes no new work, waits `drainMs` for what runs,
 * then gives it up, which lets the servers give it to others at once.
 */
export const createRunner = (options: RunnerOptions): Service => {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const log = options.log ?? silentLog;
  let draining = false;
  let stopping: Promise<void> | null = null;

  const executors = new Map(options.executors ?? []);
  const supervisor = options.scripts === false ? null : superviseScripts(config, clock, log);
  const scripts = createScripts({ clock, random, route: () => fleet.route("") });
  if (supervisor !== null) executors.set("script", scriptExecutor(supervisor, scripts.get));

  const attempts = createAttempts({
    executors,
    limits: config.limits,
    clock,
    log,
    observer: options.observer ?? silentObserver,
    readSteps: createStepReader({ clock, random, route: () => fleet.route("") }),
    news: (held) => {
      reporter.news(held);
    },
  });

  const reporter = createReporter({
    clock,
    random,
    log,
    route: (home) => fleet.route(home),
    running: attempts.running,
    holds: attempts.holds,
    settled: attempts.settle,
    lost: ({ assignment }) => {
      attempts.lose(assignment.ref);
    },
    refused: attempts.refuse,
    cancelRequested: ({ assignment }) => {
      attempts.cancel(assignment.ref);
    },
  });

  const identity = {
    runnerId: random.uuid(),
    displayName: config.displayName,
    capabilities: [...executors.keys()],
  };

  const fleet = createFleet({
    seed: config.internalUrl,
    connect: (url) => connect(url, config.token),
    refuses: refusesUs,
    loop: (connection, heard, failed) =>
      createSyncLoop({
        connection,
        identity,
        clock,
        random,
        log,
        slots: () =>
          draining ? 0 : shareOf(config.slots, attempts.countByHome(fleet.urls()), connection.url),
        held: attempts.refs,
        heard,
        failed,
      }),
    heard: (url, response) => {
      for (const message of response.lost) attempts.lose(refOf(message));
      attempts.accept(
        response.assignments.flatMap((one) => assignmentOf(one) ?? []),
        url,
      );
      for (const message of response.cancellations) attempts.cancel(refOf(message));
    },
  });

  const drain = async (): Promise<void> => {
    draining = true;
    await fleet.announce();
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(config.drainMs, resolve);
    });
    await Promise.race([attempts.empty(), late]);
    cancel();
    const left = attempts.refs().length;
    if (left === 0) return;
    log.warn({ attempts: left }, "the time to drain is over: attempts are given up");
    attempts.giveUp();
    await fleet.announce();
  };

  const stop = async (): Promise<void> => {
    await drain();
    reporter.stop();
    await fleet.stop();
    await supervisor?.stop();
  };

  return {
    start: async () => {
      await supervisor?.start();
      try {
        await fleet.start();
      } catch (cause) {
        await fleet.stop();
        await supervisor?.stop();
        throw cause;
      }
      log.info({ ...identity, slots: config.slots }, "the runner takes work");
    },
    stop: async () => {
      stopping ??= stop();
      await stopping;
    },
  };
};

const superviseScripts = (config: RunnerConfig, clock: Clock, log: Log): Supervisor =>
  createSupervisor({
    clock,
    log,
    limits: config.limits,
    isolation: config.isolation,
    slots: config.slots,
    spares: config.spares,
    canary: true,
  });
