import type { Clock } from "../src/runtime/clock.ts";
import type { Service } from "../src/runtime/lifecycle.ts";
import type { Log } from "../src/runtime/log.ts";
import type { Random } from "../src/runtime/random.ts";
import { createAttempts } from "./attempts.ts";
import { createChildPlaces, createChildren } from "./children.ts";
import { connect, type ServerConnection } from "./connection.ts";
import type { Executor } from "./executor.ts";
import { createFleet } from "./fleet.ts";
import type { RunnerObserver } from "./observer.ts";
import type { OutboxLimits } from "./outbox.ts";
import { redacted, tokenRedaction } from "./redaction.ts";
import { createReporter } from "./reports.ts";
import { createResting, type Resting } from "./resting.ts";
import { shareOf } from "./shares.ts";
import { createStepReader } from "./steps.ts";
import { createSyncLoop } from "./sync.ts";
import { refusesUs } from "./verdict.ts";
import { assignmentOf, refOf } from "./wire.ts";

export type RunnerCoreOptions = {
  /** The internal listener of any server. */
  readonly internalUrl: string;
  readonly token: string;
  /** Attempts at once. */
  readonly slots: number;
  /** Who waits for jobs of his own; made here, if absent. */
  readonly resting?: Resting;
  /** How long running attempts may go on after `stop`. */
  readonly drainMs: number;
  readonly displayName: string;
  readonly limits: OutboxLimits;
  readonly log: Log;
  readonly observer: RunnerObserver;
  readonly clock: Clock;
  readonly random: Random;
  /** By capability. `route` is the way to a server that answers, once the runner has started. */
  readonly executors: (route: () => ServerConnection) => ReadonlyMap<string, Executor>;
};

/**
 * What every runner is, whatever it runs: takes attempts from the servers, gives them to its
 * executors, brings back what they say. `start` resolves with the first answer of a server; it
 * throws if the server refuses the token. `stop` takes no new work, waits `drainMs` for what runs,
 * then gives it up, which lets the servers give it to others at once.
 */
export const createRunnerCore = (options: RunnerCoreOptions): Service => {
  const { clock, random, log } = options;
  let draining = false;
  let stopping: Promise<void> | null = null;

  const executors = withoutTokens(options.executors(() => fleet.route("")));

  const resting = options.resting ?? createResting();
  const places = createChildPlaces();

  const attempts = createAttempts({
    executors,
    limits: options.limits,
    clock,
    log,
    observer: options.observer,
    readSteps: createStepReader({ clock, random, route: () => fleet.route("") }),
    childrenOf: (ref, home, signal) => {
      const routes = (): readonly ServerConnection[] => fleet.routes(home);
      return createChildren(ref, { clock, random, routes, resting, places, signal });
    },
    news: (held) => {
      reporter.news(held);
    },
  });

  options.observer.slots(() => ({ all: options.slots, busy: attempts.running() }));

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
    displayName: options.displayName,
    capabilities: [...executors.keys()],
  };

  const fleet = createFleet({
    seed: options.internalUrl,
    connect: (url) => connect(url, options.token, clock),
    refuses: refusesUs,
    loop: (connection, heard, failed) =>
      createSyncLoop({
        connection,
        identity,
        clock,
        random,
        log,
        slots: () =>
          draining ? 0 : shareOf(options.slots, attempts.countByHome(fleet.urls()), connection.url),
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
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(options.drainMs, resolve);
    });
    // A server that does not answer takes its time from that of the attempts.
    await fleet.announce();
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
  };

  return {
    start: async () => {
      try {
        await fleet.start();
      } catch (cause) {
        await fleet.stop();
        throw cause;
      }
      log.info({ ...identity, slots: options.slots }, "the runner takes work");
    },
    stop: async () => {
      stopping ??= stop();
      await stopping;
    },
  };
};

/** Scripts and commands are never handed the token. */
const withoutTokens = (executors: ReadonlyMap<string, Executor>): ReadonlyMap<string, Executor> =>
  new Map(
    [...executors].map(([capability, executor]) => [
      capability,
      isHandedNoToken(capability) ? executor : redacted(executor, tokenRedaction),
    ]),
  );

const isHandedNoToken = (capability: string): boolean =>
  capability === "script" || capability.startsWith("command:");
