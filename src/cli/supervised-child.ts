import { type ChildProcess, spawn } from "node:child_process";

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

/** What a child sends over its channel once it works. */
export const READY = "ready";

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 10_000;
/** A child that lived so long was no failed start. */
const HEALTHY_AFTER_MS = 30_000;
/** A runner drains for 30 s at most, unless it is told otherwise. */
const KILL_AFTER_MS = 40_000;

/**
 * A process that is started again whenever it dies, until it is stopped. `start` resolves when it
 * says that it is ready, and rejects if the first one dies before that.
 *
 * It has a channel to this process: when this one is killed the channel closes, and the child ends
 * by itself. It is a process group of its own, so that Ctrl-C reaches it through `stop`, in order,
 * and not from the terminal.
 */
export const createSupervisedChild = (options: SupervisedChildOptions): Service => {
  const { clock } = options;
  let child: ChildProcess | null = null;
  let gone: Promise<string> = Promise.resolve("");
  let cancelRestart = (): void => {};
  let stopping = false;
  let failures = 0;

  const launch = (): ChildProcess => {
    const current = spawn(options.command, options.args, {
      env: options.environment,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
    });
    child = current;
    gone = new Promise((resolve) => {
      current.once("error", (error) => {
        resolve(error.message);
      });
      current.once("exit", (code, signal) => {
        resolve(signal ?? `exit code ${code}`);
      });
    });
    return current;
  };

  /** Watches over this child and, when it dies, starts the next. */
  const supervise = async (startedAt: number): Promise<void> => {
    const how = await gone;
    child = null;
    if (stopping) return;
    failures = clock.monotonic() - startedAt > HEALTHY_AFTER_MS ? 0 : failures + 1;
    const restartMs = Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** (failures - 1));
    options.onDeath(how, restartMs);
    cancelRestart = clock.after(restartMs, () => {
      launch();
      void supervise(clock.monotonic());
    });
  };

  return {
    start: async () => {
      const first = launch();
      const ready = new Promise<null>((resolve) => {
        first.once("message", (message) => {
          if (message === READY) resolve(null);
        });
      });
      const startedAt = clock.monotonic();
      const died = await Promise.race([ready, gone]);
      if (died !== null) throw new Error(`it ended at once (${died})`);
      void supervise(startedAt);
    },
    stop: async () => {
      stopping = true;
      cancelRestart();
      const current = child;
      if (current === null) return;
      current.kill("SIGTERM");
      const cancelKill = clock.after(KILL_AFTER_MS, () => current.kill("SIGKILL"));
      await gone;
      cancelKill();
    },
  };
};
