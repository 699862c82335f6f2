import { readdirSync, readFileSync } from "node:fs";

/** Text of a file in /proc; empty once its process is gone. */
const read = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};

/** The sandbox children of this process that the kernel still knows, dead ones not reaped included. */
export const aliveChildren = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = read(`/proc/${pid}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return parent === process.pid && read(`/proc/${pid}/cmdline`).includes("sandbox/child.js");
    });
