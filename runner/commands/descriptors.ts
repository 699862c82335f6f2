import { openSync, readdirSync } from "node:fs";

import { readProc } from "./group.ts";

/** O_CLOEXEC in the `flags:` of /proc/<pid>/fdinfo, which are octal. */
const CLOSED_ON_EXEC = 0o2000000;

/**
 * What a command gets besides its standard streams: nothing. All that Node opens is closed when a
 * program starts; what this process was itself started with need not be, such as the file of a lock.
 * It cannot be closed here without being lost to us, so a command finds /dev/null in its place.
 */
export type Descriptors = readonly ("ignore" | number)[];

/** For the places from 3 on of `stdio`. Linux only; elsewhere what we inherited is passed on. */
export const hideInherited = (): Descriptors => {
  if (process.platform !== "linux") return [];
  const inherited = readdirSync("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => descriptor > 2 && survivesExec(descriptor));
  if (inherited.length === 0) return [];
  const nothing = openSync("/dev/null", "r");
  const most = Math.max(...inherited);
  return Array.from({ length: most - 2 }, (_, index) =>
    inherited.includes(index + 3) ? nothing : "ignore",
  );
};

const survivesExec = (descriptor: number): boolean => {
  const text = readProc(`/proc/self/fdinfo/${descriptor}`) ?? "";
  const flags = /^flags:\s+([0-7]+)$/m.exec(text)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
};
