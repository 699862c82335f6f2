import type { Capability, JobId, LeaseToken, OrganizationId, ScriptHash, UserId } from "./ids.ts";
import type { JobError, JsonText, Labels, OutputStream, Progress } from "./job.ts";

/** Names one attempt. */
export type AttemptRef = {
  readonly organizationId: OrganizationId;
  readonly jobId: JobId;
  readonly attempt: number;
  readonly leaseToken: LeaseToken;
};

/** How a runner says that an attempt ended. */
export type Ending = (
  | { readonly kind: "succeeded"; readonly result: JsonText }
  | { readonly kind: "failed"; readonly error: JobError }
  | { readonly kind: "cancelled" }
) & { readonly cpuMs: number; readonly peakMemoryBytes: number };

/** What a step of the work came to: the attempts that follow skip it. */
export type StepResult = { readonly name: string; readonly result: JsonText };

/** What happened in an attempt since the report before. */
export type AttemptReport = {
  readonly ref: AttemptRef;
  /** Counts from 1 within an attempt; a repeated one is answered alike and applied once. */
  readonly seq: number;
  readonly progress: Progress | null;
  readonly output: readonly { readonly stream: OutputStream; readonly text: string }[];
  readonly steps: readonly StepResult[];
  readonly ending: Ending | null;
};

/** An attempt that is given to a runner. */
export type Assignment = {
  readonly ref: AttemptRef;
  readonly capability: Capability;
  readonly scriptHash: ScriptHash | "";
  readonly input: JsonText;
  readonly attemptTimeoutMs: number;
  readonly type: string;
  /** 0 for an inline script. */
  readonly typeVersion: number;
  readonly creatorId: UserId | "";
  readonly runAs: UserId | "";
  readonly labels: Labels;
  readonly traceparent: string;
};
