import type { Failure } from "./executor.ts";

/**
 * How an attempt can fail, and whether another attempt can help. docs/scripts.md and docs/commands.md
 * explain them to authors; `quota.<what>` stands for every code that begins so.
 */
const RETRYABLE: Readonly<Record<string, boolean>> = {
  "timeout.wall": true,
  "timeout.cpu": true,
  memory: true,
  "runner.crashed": true,
  "script.threw": true,
  "handler.threw": true,
  "command.exit": true,
  "command.signal": true,
  "command.not_started": true,
  "command.not_allowed": false,
  "input.invalid": false,
  "script.syntax": false,
  "script.no_default": false,
  "script.not_found": false,
  // The pause ends: a job whose retries are spaced out outlives it.
  "script.quarantined": true,
  "module.not_allowed": false,
  "module.not_found": false,
  "result.too_large": false,
  "result.not_serialisable": false,
  "egress.denied": false,
  "egress.timeout": true,
  "egress.too_large": false,
  "egress.failed": true,
  "report.refused": false,
  "child.refused": true,
  // Another attempt finds the same child.
  "child.failed": false,
  "child.cancelled": false,
};

/** `retryable` is what the work itself says; null: as is usual for the code. */
export const failure = (
  code: string,
  message: string,
  stack = "",
  retryable: boolean | null = null,
): Failure => ({
  code,
  message,
  stack,
  retryable: retryable ?? RETRYABLE[code] ?? false,
});
