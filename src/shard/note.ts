import { noteCallbacks } from "./notices/callbacks.ts";
import { noteHooks } from "./notices/hooks.ts";
import { noteThresholds } from "./notices/thresholds.ts";
import { notePoints } from "./points.ts";
import { noteUnsettled } from "./settle.ts";
import type { Turn } from "./turn.ts";

/** Writes down what the turn leaves to others, who is to be told of what it did, and counts it: once all of it has been decided. */
export const note = (turn: Turn): void => {
  noteUnsettled(turn);
  noteCallbacks(turn);
  noteHooks(turn);
  noteThresholds(turn);
  notePoints(turn);
};
