import type { Environment } from "../config.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { printable } from "./view/printable.ts";

/** What a command line program has around it. Commands touch nothing else of the process. */
export type Shell = {
  readonly environment: Environment;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the user or the system wants the program to end. */
  readonly signal: AbortSignal;
};

/**
 * Everything that commands print goes through here. Much of it was written by others (names, errors,
 * results), so a terminal gets it without control sequences.
 */
export const printLine = (
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  text: string,
): void => {
  stream.write(`${printable(text, stream.isTTY === true)}\n`);
};
