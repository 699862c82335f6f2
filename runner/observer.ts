import type { Ending } from "./executor.ts";

/** What a child was worn by: see sandbox/wear.ts. */
export type Worn = "attempts" | "ageMs" | "growthBytes" | "cleanUpMs";

export type SlotsNow = { readonly all: number; readonly busy: number };
export type ChildrenNow = readonly { readonly state: "starting" | "idle" | "busy" }[];

/** What the runner tells whoever measures it. */
export type RunnerObserver = {
  attemptEnded(facts: {
    readonly capability: string;
    readonly outcome: Ending["kind"];
    /** Empty unless it failed. */
    readonly code: string;
    readonly runMs: number;
    readonly cpuMs: number;
    readonly peakMemoryBytes: number;
  }): void;
  /** A script's fetch. */
  fetchEnded(facts: {
    /** The name of an upstream, `public`, or empty: it was refused before. */
    readonly to: string;
    /** `ok`, whatever the status; `stopped` with its attempt; else the code of the failure. */
    readonly outcome: string;
    readonly durationMs: number;
  }): void;
  /** Called once, with what tells how busy it is whenever somebody wants to know. */
  slots(read: () => SlotsNow): void;
  /** Called once, by a runner that runs scripts. */
  children(read: () => ChildrenNow): void;
  childStarted(): void;
  /** Because of what a script did; `why` is the code of its failure. */
  childKilled(why: string): void;
  childWorn(by: Worn): void;
  canaryEnded(contained: boolean): void;
  /** An attempt was not begun: its script is in quarantine. */
  quarantined(): void;
};

const nothing = (): void => {};

export const silentObserver: RunnerObserver = {
  attemptEnded: nothing,
  fetchEnded: nothing,
  slots: nothing,
  children: nothing,
  childStarted: nothing,
  childKilled: nothing,
  childWorn: nothing,
  canaryEnded: nothing,
  quarantined: nothing,
};
