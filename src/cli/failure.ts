import type { FieldFault } from "../jobs/errors.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

type Details = {
  readonly reason?: string;
  readonly faults?: readonly FieldFault[];
  /** What the reader can do about it: one sentence or command. */
  readonly next?: string;
  readonly cause?: unknown;
};

/** Why a command did not do what it was asked. Shown as sentences, never as a stack trace. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: ExitCode;
  /** A stable reason, as in docs/errors.md; `USAGE` when the command line itself is at fault. */
  readonly reason: string;
  readonly faults: readonly FieldFault[];
  readonly next: string;

  constructor(exitCode: ExitCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.exitCode = exitCode;
    this.reason = details.reason ?? (exitCode === EXIT.usage ? "USAGE" : "CLIENT");
    this.faults = details.faults ?? [];
    this.next = details.next ?? "";
  }
}

export const usageFailure = (message: string, next = ""): CliFailure =>
  new CliFailure(EXIT.usage, message, { next });

/** The failure as lines for people. */
export const failureText = (failure: CliFailure): string =>
  [
    `millrace: ${failure.message}`,
    ...failure.faults.map((fault) => `  ${fault.field}: ${fault.description}`),
    ...(failure.next === "" ? [] : [failure.next]),
  ].join("\n");

/** The failure as one line of JSON for machines. */
export const failureJson = (failure: CliFailure): string =>
  JSON.stringify({
    error: {
      reason: failure.reason,
      message: failure.message,
      faults: failure.faults,
      next: failure.next,
      exitCode: failure.exitCode,
    },
  });
