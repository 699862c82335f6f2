import { systemRandom } from "../../src/runtime/random.ts";
import type { Failure } from "../executor.ts";
import { failure } from "../failures.ts";
import type { HostCalls } from "../host-calls.ts";
import { isFiniteThroughout, isNestedAtMost, RESULT_DEPTH } from "../nesting.ts";
import { CALL_LIMITS } from "./calls.ts";
import type { SandboxLimits } from "./limits.ts";
import type { ScriptFile } from "./protocol.ts";

export type ScriptTask = {
  readonly organizationId: string;
  readonly jobId: string;
  readonly attempt: number;
  /** Names the script when its crashes are counted; empty: they are not. */
  readonly scriptHash: string;
  readonly code: string;
  readonly fileName: ScriptFile;
  /** A JSON text. */
  readonly input: string;
  readonly timeoutMs: number;
  /** What the script may ask of the runner. */
  readonly calls: HostCalls;
  /** Placeholders of secrets, by name. */
  readonly secrets: Readonly<Record<string, string>>;
};

/** An ending before it is measured. */
export type Outcome =
  | { readonly kind: "succeeded"; readonly result: string }
  | { readonly kind: "failed"; readonly error: Failure }
  | { readonly kind: "cancelled" };

export const CANCELLED: Outcome = { kind: "cancelled" };

export const failed = (error: Failure): Outcome => ({ kind: "failed", error });

/** A result as the child sent it. The guest has checked it already, unless it is not our guest any more. */
export const accept = (result: string, limits: SandboxLimits): Outcome => {
  const bytes = Buffer.byteLength(result);
  if (bytes > limits.resultBytes) {
    const message = `the result has ${bytes} bytes of JSON; ${limits.resultBytes} are allowed`;
    return failed(failure("result.too_large", message));
  }
  let value: unknown;
  try {
    value = JSON.parse(result);
  } catch {
    return failed(failure("result.not_serialisable", "the result is not JSON"));
  }
  if (!isNestedAtMost(value, RESULT_DEPTH)) {
    const message = `the result is nested deeper than ${RESULT_DEPTH} levels`;
    return failed(failure("result.not_serialisable", message));
  }
  if (!isFiniteThroughout(value)) {
    const message = "the result holds a number beyond 1.8e308";
    return failed(failure("result.not_serialisable", message));
  }
  return { kind: "succeeded", result };
};

/** One row more than the outbox takes, so that it notices. */
export const mostRows = (limits: SandboxLimits): number => limits.outputLines + 1;

const ENTROPY_BYTES = 32;

/** What the guest is told: see guest/bridge.ts, Attempt. */
export const guestAttempt = (task: ScriptTask, limits: SandboxLimits): string =>
  JSON.stringify({
    jobId: task.jobId,
    attempt: task.attempt,
    fileName: task.fileName,
    outputLines: mostRows(limits),
    outputChars: limits.outputBytes + limits.lineBytes,
    lineChars: limits.lineBytes,
    timers: limits.timers,
    calls: CALL_LIMITS,
    resultBytes: limits.resultBytes,
    entropy: systemRandom.secret(ENTROPY_BYTES),
    secrets: task.secrets,
  });
