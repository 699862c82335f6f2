import type { Clock } from "../../src/runtime/clock.ts";
import { readProc, statFields } from "./group.ts";

/**
 * What a running command and its descendants use, looked up in /proc ten times a second and when one
 * of its pipes closes, which is just before its end can be heard. What a short-lived descendant took
 * is in its parent's count once that has waited for it. Linux only; zeros elsewhere.
 */
export type Usage = { readonly cpuMs: number; readonly peakMemoryBytes: number };

export type Meter = {
  sample(): void;
  /** Stops looking. */
  stop(): Usage;
};

const EVERY_MS = 100;
/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;
const MOST_PROCESSES = 200;

export const createMeter = (clock: Clock, pid: number): Meter => {
  let cpuMs = 0;
  let peakMemoryBytes = 0;
  let cancel = (): void => {};

  const sample = (): void => {
    const family = familyOf(pid);
    const cpu = family.reduce((sum, member) => sum + cpuOf(member), 0);
    const resident = family.reduce((sum, member) => sum + memoryOf(member, "VmRSS"), 0);
    cpuMs = Math.max(cpuMs, cpu);
    peakMemoryBytes = Math.max(peakMemoryBytes, resident, memoryOf(pid, "VmHWM"));
  };

  const tick = (): void => {
    sample();
    cancel = clock.after(EVERY_MS, tick);
  };

  if (process.platform === "linux") tick();
  return {
    sample: process.platform === "linux" ? sample : () => {},
    stop: () => {
      cancel();
      return { cpuMs, peakMemoryBytes };
    },
  };
};

/** The process and those of its descendants whose parents live. */
const familyOf = (pid: number): readonly number[] => {
  const family = [pid];
  for (const member of family) {
    const children = readProc(`/proc/${member}/task/${member}/children`) ?? "";
    for (const child of children.split(" ")) {
      if (child !== "" && family.length < MOST_PROCESSES) family.push(Number(child));
    }
  }
  return family;
};

/** Its own, and that of the children it has waited for: fields 14 to 17. */
const cpuOf = (pid: number): number => {
  const fields = statFields(pid);
  if (fields === null) return 0;
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
};

const memoryOf = (pid: number, field: "VmRSS" | "VmHWM"): number => {
  const status = readProc(`/proc/${pid}/status`) ?? "";
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
};
