import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

import { type Clock, sleep } from "../../src/runtime/clock.ts";
import type { Descriptors } from "./descriptors.ts";
import { askGroupToEnd, endGroup, KILLED_WITHIN_MS, signalGroup } from "./group.ts";
import type { Keeper } from "./keeper.ts";
import type { Exit } from "./outcome.ts";
import type { Output } from "./output.ts";
import type { Command } from "./prepare.ts";
import { readThrottled } from "./throttle.ts";
import { createMeter, type Usage } from "./usage.ts";

/** What is started. */
export type Start = {
  /** Program and arguments, with what goes in front of them. */
  readonly line: readonly [string, ...string[]];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly descriptors: Descriptors;
  /** Null: an empty standard input. */
  readonly input: string | null;
};

/**
 * A command while it runs: a process group of its own, whose leader is the main process. `ended`
 * resolves when nobody of the group is left and its output has been read, or 5 s after a SIGKILL that
 * it outlived; it never rejects.
 */
export type Running = {
  /** SIGTERM to all of the group, SIGKILL once `killAfterMs` are over. Later calls do nothing. */
  stop(): void;
  readonly ended: Promise<{ readonly exit: Exit; readonly usage: Usage; readonly left: boolean }>;
};

export type ProcessOptions = Pick<Command, "account" | "umask" | "killAfterMs"> & {
  readonly clock: Clock;
  readonly keeper: Pick<Keeper, "hold" | "free">;
  readonly output: Pick<Output, "push">;
};

/** How long the output of an ended program may still be held open by processes that it left behind. */
const LINGER_MS = 1_000;

export const runProcess = (start: Start, options: ProcessOptions): Running => {
  let child: Child;
  try {
    child = spawnIn(start, options);
  } catch (cause) {
    return notStarted(cause);
  }
  const { pid } = child;
  if (pid === undefined) {
    return {
      stop: () => {},
      ended: new Promise((resolve) => {
        child.once("error", (cause) => {
          void notStarted(cause).ended.then(resolve);
        });
      }),
    };
  }
  return attend(child, pid, start.input, options);
};

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

const spawnIn = (start: Start, { account, umask }: ProcessOptions): Child => {
  const [file, ...args] = start.line;
  // The one way to give a child a umask. Nothing else of this thread runs meanwhile.
  const before = process.umask(umask);
  try {
    return spawn(file, args, {
      cwd: start.directory,
      env: start.environment,
      // A group and a session of its own: one signal reaches all of it, and it has no terminal.
      detached: true,
      stdio: [start.input === null ? "ignore" : "pipe", "pipe", "pipe", ...start.descriptors],
      ...account,
    }) as Child;
  } finally {
    process.umask(before);
  }
};

const notStarted = (cause: unknown): Running => {
  const why = cause instanceof Error ? cause.message : String(cause);
  const usage = { cpuMs: 0, peakMemoryBytes: 0 };
  return {
    stop: () => {},
    ended: Promise.resolve({ exit: { kind: "not_started", why }, usage, left: false }),
  };
};

const attend = (
  child: Child,
  pid: number,
  input: string | null,
  { clock, keeper, output, killAfterMs }: ProcessOptions,
): Running => {
  keeper.hold(pid);
  const meter = createMeter(clock, pid);
  let deadline: number | null = null;
  /** Nobody of the group is left: its number may be somebody else's by now. */
  let over = false;
  let cancelKill = (): void => {};

  const readers = [
    readThrottled(clock, child.stdout, (chunk) => output.push("STDOUT", chunk)),
    readThrottled(clock, child.stderr, (chunk) => output.push("STDERR", chunk)),
  ];
  const release = (): void => {
    for (const reader of readers) reader.release();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.once("end", meter.sample);
    // A pipe that breaks ends; nothing more can be read of it.
    stream.on("error", () => {});
  }
  // A program need not read its input.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input ?? "");

  /** Null: it was killed, and is still there. */
  const { promise: exited, resolve: ends } = Promise.withResolvers<Exit | null>();
  child.once("exit", (code, signal) => {
    ends(signal === null ? { kind: "code", code: code ?? 0 } : { kind: "signal", signal });
  });
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  const closedWithin = async (ms: number): Promise<void> => {
    const late = new AbortController();
    await Promise.race([closed, sleep(clock, ms, late.signal).catch(() => {})]);
    late.abort();
  };

  /** It is another user's by now, or in the middle of a disk operation. */
  const leave = () => {
    child.once("exit", () => {
      keeper.free(pid);
    });
    child.unref();
    child.stdout.destroy();
    child.stderr.destroy();
    return {
      exit: { kind: "signal", signal: "SIGKILL" },
      usage: meter.stop(),
      left: true,
    } as const;
  };

  const finish = async () => {
    const exit = await exited;
    if (exit === null) return leave();
    // While others of the group may go on writing they are read no faster than before.
    if (!signalGroup(pid, 0)) release();
    if (deadline === null) await closedWithin(LINGER_MS);
    const grace = deadline === null ? LINGER_MS : Math.max(0, deadline - clock.monotonic());
    const gone = await endGroup(clock, pid, Math.min(grace, killAfterMs));
    over = true;
    cancelKill();
    keeper.free(pid);
    release();
    // Whoever holds the pipes now has left the group: it is not waited for.
    await closedWithin(LINGER_MS);
    child.stdout.destroy();
    child.stderr.destroy();
    return { exit, usage: meter.stop(), left: !gone };
  };

  return {
    stop: () => {
      if (over || deadline !== null) return;
      deadline = clock.monotonic() + killAfterMs;
      askGroupToEnd(pid);
      cancelKill = clock.after(killAfterMs, () => {
        signalGroup(pid, "SIGKILL");
        cancelKill = clock.after(KILLED_WITHIN_MS, () => {
          ends(null);
        });
      });
    },
    ended: finish(),
  };
};
