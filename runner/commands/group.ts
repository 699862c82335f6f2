import { readdirSync, readFileSync } from "node:fs";

import { type Clock, sleep } from "../../src/runtime/clock.ts";

/**
 * A process group by the id of its leader, which may be dead. As long as one member lives, the system
 * gives its number to nobody else.
 */
const ASK_EVERY_MS = 10;
/**
 * Zombies that nobody reaps count as members for the kernel: after this, we look at them ourselves, and
 * again when twice that has passed, but at least once a second. It means to read all of /proc.
 */
const LOOK_AFTER_MS = 30;
const LOOK_EVERY_MS = 1_000;

/** False if there is nobody left to get it. */
export const signalGroup = (leader: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ESRCH") return false;
    // Somebody is there who is not ours to signal.
    if (code === "EPERM") return true;
    throw cause;
  }
};

/** SIGTERM, also for those that are stopped. */
export const askGroupToEnd = (leader: number): void => {
  if (signalGroup(leader, "SIGTERM")) signalGroup(leader, "SIGCONT");
};

/** Resolves with true when nobody of the group lives any more, with false after `ms`. */
const groupIsGone = async (clock: Clock, leader: number, ms: number): Promise<boolean> => {
  const begun = clock.monotonic();
  let look = LOOK_AFTER_MS;
  for (;;) {
    if (!signalGroup(leader, 0)) return true;
    const waited = clock.monotonic() - begun;
    if (waited > look) {
      if (!hasLivingMember(leader)) return true;
      look = waited + Math.min(waited, LOOK_EVERY_MS);
    }
    if (waited >= ms) return false;
    await sleep(clock, ASK_EVERY_MS);
  }
};

/** A process in the middle of a disk operation dies only after it. */
export const KILLED_WITHIN_MS = 5_000;

/** SIGTERM, then SIGKILL after `graceMs`. False if even that did not end all of them within 5 s. */
export const endGroup = async (clock: Clock, leader: number, graceMs: number): Promise<boolean> => {
  if (!signalGroup(leader, 0)) return true;
  askGroupToEnd(leader);
  if (await groupIsGone(clock, leader, graceMs)) return true;
  signalGroup(leader, "SIGKILL");
  return await groupIsGone(clock, leader, KILLED_WITHIN_MS);
};

/** Linux only; elsewhere, whoever the kernel counts is taken to live. */
const hasLivingMember = (leader: number): boolean => {
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    const [state, , group] = statFields(Number(entry)) ?? [];
    return Number(group) === leader && state !== "Z" && state !== "X";
  });
};

/** The fields of /proc/<pid>/stat from the third on: state, parent, group, … Null once it is gone. */
export const statFields = (pid: number): readonly string[] | null => {
  const text = readProc(`/proc/${pid}/stat`);
  // The name in the second field may hold anything, even brackets.
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
};

export const readProc = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return null;
    throw cause;
  }
};
