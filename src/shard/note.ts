import { noteCallbacks } from "./notices/callbacks.ts";
import { noteHooks } from "./notices/hooks.ts";
import { noteThresholds } from "./notices/thresholds.ts";
import { notePoints } from "./points.ts";
import type { Turn } from "./turn.ts";

/** Writes down who is to be told of what the turn did, and counts it: once all of it has been decided. */
export const note = (turn: Turn): void => {
  noteCallbacks(turn);
  noteHooks(turn);
  noteThresholds(turn);
  notePoints(turn);
};
