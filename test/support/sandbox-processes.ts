import { readdirSync, readFileSync } from "node:fs";

/** Text of a file in /proc; empty once its process or thread is gone. */
const read = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};

/** The processes that any thread of this one has started, and nobody has reaped yet. */
export const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );

/** The sandbox children of this process that live. */
export const aliveChildren = (): number[] =>
  childrenOf(process.pid).filter((pid) =>
    read(`/proc/${pid}/cmdline`).includes("sandbox/child.js"),
  );
