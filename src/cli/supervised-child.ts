import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import type { Environment } from "../config.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Service } from "../runtime/lifecycle.ts";

export type SupervisedChildOptions = {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly clock: Clock;
  /** It ended though nobody asked; another is started after `restartMs`. */
  readonly onDeath: (how: string, restartMs: number) => void;
};

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 10_000;
/** A child that lived so long was no failed start. */
const HEALTHY_AFTER_MS = 30_000;
/** A runner drains for a while after SIGTERM. */
const KILL_AFTER_MS = 20_000;

/**
 * A process that is started again whenever it dies, until it is stopped. It has a channel to this
 * process: when this one is killed the channel closes, and the child ends by itself. It is a process
 * group of its own, so that Ctrl-C reaches it through `stop`, in order, and not from the terminal.
 */
export const createSupervisedChild = (options: SupervisedChildOptions): Service => {
  const { clock } = options;
  let child: ChildProcess | null = null;
  let cancelRestart = (): void => {};
  let stopping = false;
  let failures = 0;

  const launch = async (): Promise<void> => {
    const started = clock.monotonic();
    const current = spawn(options.command, options.args, {
      env: options.environment,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
    });
    child = current;
    current.once("exit", (code, signal) => {
      child = null;
      if (stopping) return;
      failures = clock.monotonic() - started > HEALTHY_AFTER_MS ? 0 : failures + 1;
      const restartMs = Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** failures);
      options.onDeath(signal ?? `exit code ${code}`, restartMs);
      cancelRestart = clock.after(restartMs, () => {
        launch().catch((cause: unknown) => {
          options.onDeath(String(cause), 0);
        });
      });
    });
    await once(current, "spawn");
  };

  return {
    start: launch,
    stop: async () => {
      stopping = true;
      cancelRestart();
      const current = child;
      if (current === null) return;
      const gone = once(current, "exit");
      current.kill("SIGTERM");
      const cancelKill = clock.after(KILL_AFTER_MS, () => current.kill("SIGKILL"));
      await gone;
      cancelKill();
    },
  };
};
