import type { Environment } from "../config.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";

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

export const printLine = (stream: NodeJS.WritableStream, text: string): void => {
  stream.write(`${text}\n`);
};
