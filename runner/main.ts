import { type Clock, systemClock } from "../src/runtime/clock.ts";
import { sequence, type Service } from "../src/runtime/lifecycle.ts";
import { type Log, silentLog } from "../src/runtime/log.ts";
import { type Random, systemRandom } from "../src/runtime/random.ts";
import { type RunnerObserver, silentObserver } from "./observer.ts";
import { createCommands } from "./commands/service.ts";
import type { RunnerConfig } from "./config.ts";
import { createRunnerCore } from "./core.ts";
import { createEgress, NO_EGRESS } from "./egress/egress.ts";
import { type Network, systemNetwork } from "../src/outgoing/network.ts";
import type { Executor } from "./executor.ts";
import { scriptExecutor } from "./executors/script.ts";
import { createLibraries } from "./libraries/libraries.ts";
import { redacted } from "./redaction.ts";
import { createResting } from "./resting.ts";
import { createUsageReader } from "./sandbox/proc.ts";
import { createScripts } from "./scripts.ts";
import { createSupervisor } from "./supervisor.ts";

export { SandboxUnavailable } from "./sandbox/pool.ts";
export { checkSandbox, type SandboxCheck } from "./check.ts";
export { readRunnerConfig, readSandboxConfig, RunnerConfigFault } from "./config.ts";
export type { RunnerConfig, RunnerObserver };

export type ComposeOptions = {
  readonly config: RunnerConfig;
  /** By capability, besides `script`: trusted code of this process. */
  readonly executors?: ReadonlyMap<string, Executor>;
  /** False: no sandbox is started, and no scripts are taken. */
  readonly scripts?: boolean;
  readonly log?: Log;
  readonly observer?: RunnerObserver;
  readonly clock?: Clock;
  readonly random?: Random;
  /** What the egress broker resolves names with. */
  readonly network?: Network;
};

/**
 * The runner of `millrace runner`: the core with everything that the configuration switches on.
 * `start` throws if the sandbox does not work or the server refuses the token.
 */
export const composeRunner = (options: ComposeOptions): Service => {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const log = options.log ?? silentLog;
  const observer = options.observer ?? silentObserver;

  const resting = createResting();
  const supervisor =
    options.scripts === false
      ? null
      : createSupervisor({
          clock,
          log,
          limits: config.limits,
          isolation: config.isolation,
          slots: config.slots,
          resting: resting.count,
          spares: config.spares,
          canary: true,
          readUsage: createUsageReader(),
          observer,
        });
  if (supervisor !== null) observer.children(supervisor.children);

  const { settings } = config;
  const network = options.network ?? systemNetwork();
  const egress = createEgress({ settings, clock, random, log, observer, network });
  const commands = createCommands(config.commands, { clock, log });

  const core = createRunnerCore({
    internalUrl: config.internalUrl,
    token: config.token,
    slots: config.slots,
    resting,
    drainMs: config.drainMs,
    displayName: config.displayName,
    limits: config.limits,
    log,
    observer,
    clock,
    random,
    executors: (route) => {
      const executors = new Map([...(options.executors ?? []), ...commands.executors]);
      if (supervisor === null) return executors;
      const scripts = createScripts({ clock, random, route });
      const openEgress = egress?.open ?? (() => NO_EGRESS);
      const libraries = createLibraries();
      const script = scriptExecutor(supervisor, { scripts, libraries, openEgress });
      // Without egress nothing secret ever comes near a script.
      return executors.set(
        "script",
        egress === null ? script : redacted(script, egress.redactionOf),
      );
    },
  });

  const services = [supervisor, egress, commands, core];
  return sequence(services.filter((service) => service !== null));
};
