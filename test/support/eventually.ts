import { vi } from "vitest";

/** Against a hang alone: a machine that is busy with other things makes no test fail. */
const GUARD_MS = 60_000;
const ASK_EVERY_MS = 20;

/** Asks again and again until nothing is thrown. How long it takes is not what is tested. */
export const eventually = async <T>(check: () => T | Promise<T>): Promise<T> =>
  await vi.waitFor(check, { timeout: GUARD_MS, interval: ASK_EVERY_MS });
