import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";

import type { Clock } from "../../src/runtime/clock.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import type { Log } from "../../src/runtime/log.ts";

/**
 * Kills the process groups of running commands when this runner dies without a word, by SIGKILL or
 * by the system's want of memory. It is one small process in a session of its own, which is told the
 * groups and waits for the end of its input; that comes with the end of ours, however it comes.
 */
export type Keeper = Service & {
  hold(group: number): void;
  free(group: number): void;
};

const SHELL = "/bin/sh";

/** Fixed text: nothing of a job or of the configuration gets into it but numbers on its input. */
const PROGRAM = `
trap '' HUP INT TERM
held=''
while read -r what group; do
  rest=''
  for one in $held; do [ "$one" = "$group" ] || rest="$rest $one"; done
  held="$rest"
  [ "$what" = hold ] && held="$held $group"
done
for one in $held; do kill -s KILL -- "-$one"; done 2>/dev/null
`;

const AGAIN_AFTER_MS = 1_000;

export const createKeeper = (clock: Clock, log: Log): Keeper => {
  const held = new Set<number>();
  let keeper: ChildProcess | null = null;
  let stopped = true;

  const tell = (what: "hold" | "free", group: number): void => {
    keeper?.stdin?.write(`${what} ${group}\n`);
  };

  const begin = (): void => {
    if (stopped) return;
    const child = spawn(SHELL, ["-c", PROGRAM], {
      cwd: "/",
      env: {},
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    keeper = child;
    // It must not keep a runner alive that has nothing else to do.
    child.unref();
    child.stdin.on("error", () => {});
    let over = false;
    const lost = (why: string): void => {
      if (over || stopped) return;
      over = true;
      log.warn({ why }, "the process that kills commands after this runner's death has ended");
      clock.after(AGAIN_AFTER_MS, begin);
    };
    child.once("error", (cause) => {
      lost(cause.message);
    });
    child.once("exit", (code, signal) => {
      lost(signal ?? `exit code ${code}`);
    });
    for (const group of held) tell("hold", group);
  };

  return {
    start: async () => {
      await Promise.resolve();
      stopped = false;
      if (existsSync(SHELL)) begin();
      else log.warn({}, `there is no ${SHELL}: commands outlive this runner if it is killed`);
    },
    stop: async () => {
      stopped = true;
      const ending = keeper;
      keeper = null;
      if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => {
        ending.once("exit", () => {
          resolve();
        });
      });
      ending.ref();
      ending.stdin?.end();
      await gone;
    },
    hold: (group) => {
      held.add(group);
      tell("hold", group);
    },
    free: (group) => {
      held.delete(group);
      tell("free", group);
    },
  };
};
