import { closeSync, openSync, readFileSync, readSync } from "node:fs";

import { LRUCache } from "lru-cache";

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

/** Null once the process is gone, or if this one has no file left to look at it with. A few µs. */
export type ReadUsage = (pid: number) => Usage | null;

/** Files held open; a file that is read again from its start tells the present. */
const MOST_OPEN = 256;
/** 52 numbers and a name of 16 bytes. */
const LONGEST_STAT = 2_048;

/** Linux only: elsewhere nothing can be read, and only the wall clock limits a script. */
export const createUsageReader = (): ReadUsage => {
  if (process.platform !== "linux") return () => null;
  const page = pageBytes();
  const buffer = Buffer.alloc(LONGEST_STAT);
  const files = new LRUCache<number, number>({
    max: MOST_OPEN,
    dispose: (file) => closeSync(file),
  });

  /** Opening costs twice as much as reading. */
  const open = (pid: number): number => {
    const file = openSync(`/proc/${pid}/stat`, "r");
    files.set(pid, file);
    return file;
  };

  const read: ReadUsage = (pid) => {
    const known = files.get(pid);
    try {
      const length = readSync(known ?? open(pid), buffer, 0, LONGEST_STAT, 0);
      return parseStat(buffer.toString("latin1", 0, length), page);
    } catch (cause) {
      files.delete(pid);
      if (!cannotBeRead(cause)) throw cause;
      // The number may be another process's by now.
      return known === undefined ? null : read(pid);
    }
  };

  return read;
};

/** Gone, or too many files are open: the clock still ends an attempt that nobody can look at. */
const cannotBeRead = (cause: unknown): boolean => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOENT" || code === "ESRCH" || code === "EMFILE" || code === "ENFILE";
};
