import { availableParallelism, hostname } from "node:os";

/** What a runner does that is not told otherwise. */
export const DEFAULT_SLOTS = Math.max(8, availableParallelism() * 8);
export const DEFAULT_DRAIN_SECONDS = 30;

/** For people: where this runner runs. */
export const hereName = (): string => `${hostname()}/${process.pid}`;
