import type { Failure } from "../executor.ts";
import { failure } from "../failures.ts";
import { JobError } from "../handler.ts";

/** An error that is its own cause, or has a chain of thousands, ends somewhere. */
const MOST_CAUSES = 8;
const CANNOT_BE_SHOWN = "(cannot be shown)";

/** What trusted code threw, as the failure of its attempt: name, message, stack, and all causes. */
export const thrownFailure = (thrown: unknown): Failure => {
  try {
    return told(thrown);
  } catch {
    // Its properties themselves throw.
    return failure("handler.threw", CANNOT_BE_SHOWN);
  }
};

const told = (thrown: unknown): Failure => {
  if (!(thrown instanceof Error)) return failure("handler.threw", textOf(thrown));
  const final = "retryable" in thrown && thrown.retryable === false;
  const stack = stackOf(thrown);
  if (thrown instanceof JobError) {
    return failure(thrown.code, textOf(thrown.message), stack, thrown.retryable);
  }
  return failure("handler.threw", headOf(thrown), stack, final ? false : null);
};

/** Neither need be a text, whatever their types say. */
const headOf = ({ name, message }: Error): string =>
  name === "Error" || name === "" ? textOf(message) : `${textOf(name)}: ${textOf(message)}`;

const stackOf = (error: Error): string => {
  const parts: string[] = [];
  let next: unknown = error;
  while (next !== undefined && next !== null && parts.length <= MOST_CAUSES) {
    const own = next instanceof Error ? (next.stack ?? headOf(next)) : textOf(next);
    parts.push(parts.length === 0 ? own : `[cause]: ${own}`);
    next = next instanceof Error ? next.cause : undefined;
  }
  return parts.join("\n");
};

const textOf = (thrown: unknown): string => {
  try {
    return String(thrown);
  } catch {
    return CANNOT_BE_SHOWN;
  }
};
