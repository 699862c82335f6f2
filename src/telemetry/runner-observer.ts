import type { Meters } from "./meters.ts";
import {
  type DESTINATIONS,
  type ENDINGS,
  FAILURES,
  FETCHES,
  type KILLS,
  type RUNNER_TABLE,
} from "./tables/runner.ts";
import { oneOf } from "./tables/spec.ts";
import { workOf } from "./tables/work.ts";

/** `quota.<what>` is many codes. */
const family = (code: string): string => (code.startsWith("quota.") ? "quota" : code);

const WORN = {
  attempts: "attempts",
  ageMs: "age",
  growthBytes: "growth",
  cleanUpMs: "clean_up",
} as const;

const KILLED: Readonly<Record<string, (typeof KILLS)[number]>> = {
  "timeout.cpu": "timeout.cpu",
  "timeout.wall": "timeout.wall",
  memory: "memory",
};

type Outcome = (typeof ENDINGS)[number];
type ChildState = "starting" | "idle" | "busy";
const CHILD_STATES: readonly ChildState[] = ["starting", "idle", "busy"];

/**
 * Turns what a runner tells into measurements: a `RunnerObserver` of runner/observer.ts, which
 * src/cli/runner.ts hands it.
 */
export const createRunnerObserver = (meters: Meters<typeof RUNNER_TABLE>) => ({
  attemptEnded: (facts: {
    readonly capability: string;
    readonly outcome: Outcome;
    readonly code: string;
    readonly runMs: number;
  }): void => {
    const attributes = {
      "millrace.work": workOf(facts.capability),
      "millrace.attempt.outcome": facts.outcome,
    };
    const errorType = oneOf(FAILURES, family(facts.code), "other");
    meters.attempts(1, { ...attributes, "error.type": errorType });
    meters.attemptDuration(facts.runMs / 1_000, attributes);
  },
  fetchEnded: (facts: {
    readonly to: string;
    readonly outcome: string;
    readonly durationMs: number;
  }): void => {
    meters.fetches(facts.durationMs / 1_000, {
      "millrace.egress.to": destinationOf(facts.to),
      "millrace.egress.outcome": oneOf(FETCHES, family(facts.outcome), "other"),
    });
  },
  slots: (read: () => { readonly all: number; readonly busy: number }): void => {
    meters.slots(() => {
      const { all, busy } = read();
      return [
        [busy, { "millrace.slot.state": "busy" }],
        [Math.max(0, all - busy), { "millrace.slot.state": "free" }],
      ];
    });
  },
  children: (read: () => readonly { readonly state: ChildState }[]): void => {
    meters.sandboxChildren(() => {
      const children = read();
      return CHILD_STATES.map((state) => [
        children.filter((child) => child.state === state).length,
        { "millrace.sandbox.state": state },
      ]);
    });
  },
  childStarted: (): void => meters.sandboxStarts(1, {}),
  childKilled: (why: string): void => {
    meters.sandboxKills(1, { "millrace.sandbox.reason": KILLED[why] ?? "misbehaved" });
  },
  childWorn: (by: keyof typeof WORN): void => {
    meters.sandboxWear(1, { "millrace.sandbox.reason": WORN[by] });
  },
  canaryEnded: (contained: boolean): void => {
    meters.canaries(1, { "millrace.canary.outcome": contained ? "contained" : "escaped" });
  },
  quarantined: (): void => meters.quarantine(1, {}),
});

const destinationOf = (to: string): (typeof DESTINATIONS)[number] => {
  if (to === "") return "none";
  return to === "public" ? "public" : "upstream";
};
