import type { Service } from "../../src/runtime/lifecycle.ts";
import { createDeadlines } from "../deadlines.ts";
import type { Executor } from "../executor.ts";
import { hideInherited } from "./descriptors.ts";
import { commandExecutor, type CommandDeps, type Launch } from "./executor.ts";
import { createKeeper } from "./keeper.ts";
import type { Command } from "./prepare.ts";
import { findWrapper, NO_WRAPPER } from "./wrapper.ts";

/** All commands of a runner. `stop` waits for those that run; the caller has stopped them before. */
export type Commands = Service & {
  /** By capability, `command:<name>`. */
  readonly executors: ReadonlyMap<string, Executor>;
};

export const createCommands = (
  commands: readonly Command[],
  { clock, log }: Pick<CommandDeps, "clock" | "log">,
): Commands => {
  const keeper = createKeeper(clock, log);
  const underWay = new Set<Promise<unknown>>();
  let launch: Launch = { wrapper: NO_WRAPPER, descriptors: [] };
  const deps: CommandDeps = {
    clock,
    log,
    deadlines: createDeadlines(clock),
    keeper,
    launch: () => launch,
  };

  const counted = (executor: Executor): Executor => ({
    ...executor,
    execute: async (...attempt) => {
      const ending = executor.execute(...attempt);
      underWay.add(ending);
      try {
        return await ending;
      } finally {
        underWay.delete(ending);
      }
    },
  });

  return {
    executors: new Map(
      commands.map((command) => [
        `command:${command.name}`,
        counted(commandExecutor(command, deps)),
      ]),
    ),
    start: async () => {
      if (commands.length === 0) return;
      launch = { wrapper: await findWrapper(), descriptors: hideInherited() };
      await keeper.start();
      if (launch.wrapper === NO_WRAPPER) {
        log.warn({}, "commands may gain privileges by set-user-ID programs: there is no setpriv");
      }
      const asRoot = commands.filter(runsAsRoot).map(({ name }) => name);
      if (asRoot.length > 0) log.warn({ commands: asRoot }, "commands run as root: name a `user`");
    },
    stop: async () => {
      await Promise.allSettled(underWay);
      await keeper.stop();
    },
  };
};

const runsAsRoot = ({ account }: Command): boolean => (account?.uid ?? process.getuid?.()) === 0;
