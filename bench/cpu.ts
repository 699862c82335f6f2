import { readdirSync, readFileSync } from "node:fs";

import { TICK_MS } from "../runner/sandbox/proc.ts";

/** One process in the kernel's words; CPU in milliseconds, also that of its children that have ended. */
type Stat = { readonly parent: number; readonly own: number; readonly reaped: number };

const GONE: Stat = { parent: 0, own: 0, reaped: 0 };

const statOf = (pid: number): Stat => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number): number => Number(fields[number - 3] ?? 0);
    return {
      parent: field(4),
      own: (field(14) + field(15)) * TICK_MS,
      reaped: (field(16) + field(17)) * TICK_MS,
    };
  } catch {
    return GONE;
  }
};

const childrenOf = (parent: number): ReadonlyMap<number, Stat> =>
  new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name): [number, Stat] => [Number(name), statOf(Number(name))])
      .filter(([, stat]) => stat.parent === parent),
  );

/** CPU in milliseconds since the start of each; `children` are the runner's, ended ones too. */
export type Cpu = {
  readonly server: number;
  readonly runner: number;
  readonly children: number;
  readonly client: number;
};

/** Of a server and a runner by their process ids, and of this process as their client. */
export const readCpu = (server: number, runner: number): Cpu => {
  const { own, reaped } = statOf(runner);
  const living = [...childrenOf(runner).values()];
  const { user, system } = process.cpuUsage();
  return {
    server: statOf(server).own,
    runner: own,
    children: living.reduce((sum, child) => sum + child.own + child.reaped, reaped),
    client: (user + system) / 1_000,
  };
};

/** A child takes about as long to start. */
const LOOK_MS = 100;

/** Counts the children that start, until it is asked how many. */
export const countStarts = (runner: number): (() => number) => {
  const before = childrenOf(runner);
  const started = new Set<number>();
  const look = (): void => {
    for (const pid of childrenOf(runner).keys()) if (!before.has(pid)) started.add(pid);
  };
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    look();
    return started.size;
  };
};
