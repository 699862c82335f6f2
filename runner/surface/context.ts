import { entries } from "./entry.ts";

/** The second argument of a script's default export. */
export const CONTEXT = entries([
  { name: "jobId", doc: "Which job.", declaration: "readonly jobId: string;" },
  {
    name: "attempt",
    doc: "Which attempt of it: counts from 1, with each retry one more.",
    declaration: "readonly attempt: number;",
  },
  {
    name: "signal",
    doc: "An `AbortSignal`. Aborts when the job is cancelled (`AbortError`), and when nine tenths of the attempt's time are over (`TimeoutError`).",
    declaration: "readonly signal: AbortSignal;",
  },
  {
    name: "secrets",
    doc: "The secrets that the operator gave to this organization, by name, each as a placeholder: the broker puts the value in when a request leaves for where it belongs.",
    declaration: "readonly secrets: Readonly<Record<string, string>>;",
  },
  {
    name: "log",
    doc: "Rows of output, stream LOG.",
    declaration: "log(...values: readonly unknown[]): void;",
  },
  {
    name: "output",
    doc: "Text as rows of output, stream STDOUT, one for each line.",
    declaration: "output(text: string): void;",
  },
  {
    name: "progress",
    doc: "How far the work has come: a fraction from 0.0 to 1.0, or `{ fraction, done, total, step, steps, message }`, all optional. Without `fraction`, `done` of `total` counts, within the current step if there are steps. It never goes back within an attempt.",
    declaration: "progress(progress: number | Progress): void;",
  },
  {
    name: "step",
    doc: "`step(name, run)` runs `run` once for all attempts of the job: its JSON result is kept, and another attempt gets that instead.",
    declaration: "step<T>(name: string, run: () => T | Promise<T>): Promise<T>;",
  },
  {
    name: "submit",
    doc: "`submit(name, job)` submits a job of this one's own, for the user that this one acts for, and gives its id. The name counts once for all attempts: whoever comes with it again gets the first job. It is cancelled with this one.",
    declaration: "submit(name: string, job: ChildJob): Promise<string>;",
  },
  {
    name: "waitFor",
    doc: "The result of a job that was submitted by `submit`, once it has succeeded. Throws a `ChildError` when it has failed or was cancelled. Meanwhile this job counts towards no limit.",
    declaration: "waitFor<T>(jobId: string): Promise<T>;",
  },
  {
    name: "sleep",
    doc: "Waits; rejects with the signal's reason when that aborts.",
    declaration: "sleep(ms: number): Promise<void>;",
  },
]);

export type ContextName = (typeof CONTEXT)[number]["name"];
