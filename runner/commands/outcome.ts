import type { Failure } from "../executor.ts";
import { failure } from "../failures.ts";
import { jsonOf, RESULT_BYTES } from "../json-result.ts";
import type { Command } from "./prepare.ts";
import { NOT_EXECUTED } from "./wrapper.ts";

/** How the main process of an attempt came to its end. */
export type Exit =
  | { readonly kind: "not_started"; readonly why: string }
  | { readonly kind: "code"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string };

/** Why we ended it. */
export type Cause =
  | { readonly kind: "cancelled" }
  | { readonly kind: "late"; readonly ms: number }
  | { readonly kind: "too_large" };

export type Said = { readonly result: string; readonly lastWords: string };

/** An ending without what it cost. */
export type Outcome =
  | { readonly kind: "succeeded"; readonly result: string }
  | { readonly kind: "failed"; readonly error: Failure }
  | { readonly kind: "cancelled" };

export const outcomeOf = (
  command: Pick<Command, "result" | "successExitCodes" | "retryExitCodes">,
  exit: Exit,
  cause: Cause | null,
  said: Said,
): Outcome => {
  switch (cause?.kind) {
    case "cancelled":
      return { kind: "cancelled" };
    case "late":
      return failed("timeout.wall", `the command took longer than ${cause.ms} ms`);
    case "too_large":
      return tooLarge();
    case undefined:
      return ownOutcome(command, exit, said);
  }
};

const ownOutcome = (
  command: Pick<Command, "result" | "successExitCodes" | "retryExitCodes">,
  exit: Exit,
  said: Said,
): Outcome => {
  switch (exit.kind) {
    case "not_started":
      return failed("command.not_started", `the command could not be started: ${exit.why}`);
    case "signal":
      return failed("command.signal", told(`the command was ended by ${exit.signal}`, said));
    case "code": {
      const { code } = exit;
      if (command.successExitCodes.has(code)) return resultOf(command, code, said);
      const missing = code >= 126 ? NOT_EXECUTED.exec(said.lastWords)?.[1] : undefined;
      if (missing !== undefined)
        return ownOutcome(command, { kind: "not_started", why: missing }, said);
      const again = command.retryExitCodes?.has(code) ?? true;
      return failed("command.exit", told(`the command ended with exit code ${code}`, said), again);
    }
  }
};

const told = (what: string, { lastWords }: Said): string =>
  lastWords === "" ? what : `${what}: ${lastWords}`;

const failed = (code: string, message: string, retryable: boolean | null = null): Outcome => ({
  kind: "failed",
  error: failure(code, message, "", retryable),
});

const tooLarge = (): Outcome =>
  failed("result.too_large", `the result is larger than ${RESULT_BYTES} bytes of JSON`);

const resultOf = ({ result }: Pick<Command, "result">, code: number, said: Said): Outcome => {
  switch (result) {
    case "none":
      return { kind: "succeeded", result: "null" };
    case "exit":
      return { kind: "succeeded", result: JSON.stringify({ exit_code: code }) };
    case "stdout-json":
      return parsed(said.result);
  }
};

const parsed = (text: string): Outcome => {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return failed("result.not_serialisable", `the standard output is no JSON text: ${why}`);
  }
  const result = jsonOf(value);
  return result.kind === "refused"
    ? { kind: "failed", error: result.error }
    : { kind: "succeeded", result: result.text };
};

export const notAllowed = (): Outcome =>
  failed("command.not_allowed", "this organization may not use the command");
