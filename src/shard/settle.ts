import { settleFamilies } from "./settle-families.ts";
import type { Turn } from "./turn.ts";

/**
 * What the end of a job does to others: steps of its workflow that waited for it, and its children.
 * Goes on until nothing more follows; what it ends is seen by itself.
 */
export const settle = (turn: Turn): void => {
  for (;;) {
    const ended = turn.takeEnded();
    if (ended.length === 0) return;
    settleFamilies(turn, ended);
  }
};
