import type { OutboxLimits } from "./outbox.ts";

/**
 * What runs an attempt. There is one executor per capability; all of them keep the same promises:
 * `execute` resolves exactly once and never rejects, it ends soon after `signal` aborts, and it
 * reports nothing after it has resolved.
 */
export type AttemptRef = {
  readonly organizationId: string;
  readonly jobId: string;
  readonly attempt: number;
  /** The secret that makes it this attempt and no other. */
  readonly leaseToken: string;
};

export type Assignment = {
  readonly ref: AttemptRef;
  /** `script`, `handler:<name>` or `command:<name>`. */
  readonly capability: string;
  /** With the capability `script`: the SHA-256 of its text, in hex. */
  readonly scriptHash: string;
  /** A JSON text. */
  readonly input: string;
  readonly attemptTimeoutMs: number;
  readonly type: string;
  /** With which the job was submitted; 0 for an inline script. */
  readonly typeVersion: number;
  readonly creatorId: string;
  readonly runAs: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly traceparent: string;
  /** Speaks for the operational user while the attempt runs. Never for user code. */
  readonly jobToken: string;
};

export type Failure = {
  readonly code: string;
  readonly message: string;
  /** In the author's own text; empty if there is no place to name. */
  readonly stack: string;
  /** False if another attempt cannot help. */
  readonly retryable: boolean;
};

export type Ending = (
  | { readonly kind: "succeeded"; /** A JSON text. */ readonly result: string }
  | { readonly kind: "failed"; readonly error: Failure }
  | { readonly kind: "cancelled" }
) & { readonly cpuMs: number; readonly peakMemoryBytes: number };

export type Progress = {
  /** 0.0 to 1.0. */
  readonly fraction: number;
  readonly message: string;
  /** Both 0 when the work has no steps. */
  readonly currentStep: number;
  readonly totalSteps: number;
};

export type OutputStream = "STDOUT" | "STDERR" | "LOG";

/** Where an executor says what happens. Rows and progress are bounded behind it, not by the caller. */
export type Report = {
  /** One row. */
  output(stream: OutputStream, text: string): void;
  progress(progress: Progress): void;
  readonly steps: Steps;
  readonly children: Children;
};

/** The steps of a job that have ended: another attempt takes their results instead of running them. */
export type Steps = {
  /** The JSON text that a step of this job came to; undefined if it has not ended. */
  find(name: string): Promise<string | undefined>;
  /**
   * Resolves when it is durable. @throws StepRefused; AttemptStopped when the attempt is no longer ours
   */
  finish(name: string, result: string): Promise<void>;
};

/** The jobs that this one submits while it runs, and waits for. */
export type Children = {
  /**
   * The id of the child of that name, which is submitted if no attempt has done so before. `spec`: a
   * JobSpec of the contract, as JSON. @throws ChildFault; AttemptStopped when the attempt is no longer ours
   */
  submit(name: string, spec: string): Promise<string>;
  /**
   * The result of a child, as a JSON text, once it has succeeded.
   * @throws ChildFault if it cannot any more; AttemptStopped
   */
  wait(jobId: string): Promise<string>;
};

/** A child was refused, or did not succeed; the message says why. */
export class ChildFault extends Error {
  override readonly name = "ChildFault";
  readonly code: "child.refused" | "child.failed" | "child.cancelled";
  readonly retryable: boolean;
  constructor(code: ChildFault["code"], message: string, retryable: boolean) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

const childless = async (): Promise<never> =>
  await Promise.reject(new ChildFault("child.refused", "there is no server", false));

/** Nobody listens, no step has ended before, and no job can be submitted. */
export const silentReport: Report = {
  output: () => {},
  progress: () => {},
  steps: { find: async () => await Promise.resolve(undefined), finish: async () => {} },
  children: { submit: childless, wait: childless },
};

/** Why an attempt is to stop; the reason of its signal. */
export type StopReason =
  /** Somebody cancelled the job: the ending is `cancelled`. */
  | "cancelled"
  /** The attempt is another runner's now, or this runner gives it up: nobody reads the ending. */
  | "forgotten";

export class AttemptStopped extends Error {
  override readonly name = "AttemptStopped";
  readonly why: StopReason;
  constructor(why: StopReason) {
    super(`the attempt was ${why}`);
    this.why = why;
  }
}

export type Executor = {
  /** Caps of the output of each attempt; those of the runner, if absent. */
  readonly outputLimits?: OutboxLimits;
  execute(assignment: Assignment, report: Report, signal: AbortSignal): Promise<Ending>;
};

/** An ending of work that is not measured on its own. */
export const unmeasured = { cpuMs: 0, peakMemoryBytes: 0 } as const;
