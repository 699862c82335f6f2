import { noteCallbacks } from "./notices/callbacks.ts";
import type { Turn } from "./turn.ts";

/** Writes down who is to be told of what the turn did: once all of it has been decided. */
export const note = (turn: Turn): void => {
  noteCallbacks(turn);
};
