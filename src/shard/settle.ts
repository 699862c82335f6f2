import { settleFamilies } from "./settle-families.ts";
import { settleTies } from "./ties.ts";
import type { Turn } from "./turn.ts";

/**
 * What the end of a job does to others: steps of its workflow that waited for it, and its children.
 * Goes on until nothing more follows; what it ends is seen by itself. True if a job had ended.
 *
 * A command that brings ended jobs back settles first: what it finds is then settled already.
 */
export const settle = (turn: Turn): boolean => {
  for (let any = false; ; any = true) {
    const ended = turn.takeEnded();
    if (ended.length === 0) return any;
    settleTies(turn, ended);
    settleFamilies(turn, ended);
  }
};
