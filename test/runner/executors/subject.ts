import type { Executor } from "../../../runner/executor.ts";
import type { Service } from "../../../src/runtime/lifecycle.ts";
import type { RunnerServer } from "../../support/runner-server.ts";

/** The same pieces of work, written for each executor in its own language. */
export const WORKS = {
  answers: "ends well, with the input as its result if it can",
  prints: "writes the rows 1 to 500, and ends",
  floods: "writes 2,500 rows, and ends",
  progresses: "says half with the message `halfway`, then that all is done",
  ends: "writes the row `ending`, and ends at once",
  waits: "writes `waiting`, waits for its end to be asked for, writes `tidied`, and ends",
  works: "writes `working`, and ends well 200 ms later",
  stubborn: "writes `waiting`, and neither ends nor hears anything",
  busy: "writes `waiting`, and computes for ever",
  fails: "fails, and another attempt may help",
  fails_for_good: "fails, and no other attempt can help",
  breaks: "fails in a way that cannot be told",
  crashes: "takes the process down that it runs in",
  large: "has a result of more than 1 MiB",
  deep: "has a result that is nested 31 levels deep",
  speaks_late: "leaves something behind that writes a row after its end, and ends",
  steps:
    "ends the step `a`, fails in the first attempt, ends the step `b`; its result: which steps ran",
} as const;

export type WorkName = keyof typeof WORKS;

/** What an assignment says of the work. */
export type Assigned = { readonly capability: string; readonly scriptHash: string };

/** One executor as its users meet it, with all that is real about it. */
export type Subject = {
  readonly name: string;
  /** What cannot be done with it, and why. */
  readonly lacks: Readonly<Partial<Record<WorkName, string>>>;
  /** The codes of `fails`, `fails_for_good` and `crashes`. */
  readonly codes: { readonly failed: string; readonly crashed: readonly string[] };
  assigned(work: WorkName): Assigned;
  /** The executors alone, by capability; a cancelled attempt gets half a second to tidy up. */
  start(): Promise<{
    readonly executors: ReadonlyMap<string, Executor>;
    stop(): Promise<void>;
  }>;
  /** A whole runner. */
  runnerFor(server: RunnerServer, drainMs: number): Service;
};

export const GRACE_MS = 500;
