import { BASICS } from "./basics.ts";
import { DATA } from "./data.ts";
import { EVENTS } from "./events.ts";
import { NETWORK } from "./network.ts";

/** Everything on the global object of a script besides the language itself. */
export const GLOBALS = [...BASICS, ...EVENTS, ...DATA, ...NETWORK] as const;

export type GlobalName = (typeof GLOBALS)[number]["name"];
