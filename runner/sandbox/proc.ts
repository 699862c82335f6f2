import { readFileSync } from "node:fs";

/** What the kernel says about a process. It counts in ticks of 10 ms, and in pages. */
export type Usage = { readonly cpuMs: number; readonly rssBytes: number };

/** The resolution of `cpuMs`: USER_HZ is 100 on every Linux that Node runs on. */
export const TICK_MS = 10;

const pageBytes = (): number => {
  const found = /KernelPageSize:\s+(\d+) kB/.exec(readFileSync("/proc/self/smaps", "utf8"));
  return Number(found?.[1] ?? 4) * 1024;
};

/** From the text of /proc/<pid>/stat. The name in field 2 may hold anything, even brackets. */
export const parseStat = (text: string, page: number): Usage => {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3] ?? 0);
  return { cpuMs: (field(14) + field(15)) * TICK_MS, rssBytes: field(24) * page };
};

/** Null once the process is gone. About 10 µs. */
export type ReadUsage = (pid: number) => Usage | null;

/** Linux only: elsewhere nothing can be read, and only the wall clock limits a script. */
export const createUsageReader = (): ReadUsage => {
  if (process.platform !== "linux") return () => null;
  const page = pageBytes();
  return (pid) => {
    try {
      return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"), page);
    } catch (cause) {
      if (isGone(cause)) return null;
      throw cause;
    }
  };
};

const isGone = (cause: unknown): boolean => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOENT" || code === "ESRCH";
};
