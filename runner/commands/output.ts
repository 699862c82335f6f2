import type { OutputStream, Report } from "../executor.ts";
import { RESULT_BYTES } from "../json-result.ts";
import { createLines, type Lines } from "./lines.ts";
import type { Command } from "./prepare.ts";
import { progressOf } from "./progress-line.ts";

type Stream = Extract<OutputStream, "STDOUT" | "STDERR">;

/**
 * What becomes of the bytes of one attempt: rows, progress, or the result. Once the rows have
 * reached their caps, or the result its size, bytes are dropped unread, so that a flood costs nothing.
 */
export type Output = {
  /** The number of rows that were made of it. */
  push(stream: Stream, chunk: Uint8Array): number;
  /** No more comes: what is left without a newline is said. */
  end(): void;
  /** With `result: stdout-json`: what has come so far. */
  result(): string;
  /** The end of the standard error, for the message of a failure. */
  lastWords(): string;
};

const TAIL_BYTES = 4_096;
const LAST_LINES = 5;

export type OutputOptions = Pick<Command, "result" | "progress" | "output"> & {
  readonly report: Pick<Report, "output" | "progress">;
  /** The result is larger than 1 MiB. Called once. */
  readonly tooLarge: () => void;
};

export const createOutput = (options: OutputOptions): Output => {
  const { report } = options;
  const { outputBytes, outputLines } = options.output;
  const result: Uint8Array[] = [];
  let resultBytes = 0;
  let tail = Buffer.alloc(0);
  let linesLeft = outputLines;
  let bytesLeft = outputBytes;

  const full = (): boolean => linesLeft < 0 || bytesLeft < 0;

  const row =
    (stream: Stream) =>
    (text: string): void => {
      const progress = options.progress === "lines" ? progressOf(text) : null;
      if (progress !== null) {
        report.progress(progress);
        return;
      }
      if (full()) return;
      linesLeft -= 1;
      bytesLeft -= Buffer.byteLength(text);
      // The one too many goes on as well: the attempt's outbox has the same caps, and says so.
      report.output(stream, text);
    };

  const lines: Readonly<Record<Stream, Lines>> = {
    STDOUT: createLines(row("STDOUT")),
    STDERR: createLines(row("STDERR")),
  };

  const keep = (chunk: Uint8Array): void => {
    if (resultBytes > RESULT_BYTES) return;
    resultBytes += chunk.length;
    if (resultBytes <= RESULT_BYTES) {
      result.push(chunk);
      return;
    }
    result.length = 0;
    options.tooLarge();
  };

  return {
    push: (stream, chunk) => {
      if (stream === "STDERR") {
        tail = Buffer.from(
          Buffer.concat([tail, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES),
        );
      }
      if (stream === "STDOUT" && options.result === "stdout-json") {
        keep(chunk);
        return 0;
      }
      // Progress is still looked for in what is dropped.
      return full() && options.progress === "none" ? 0 : lines[stream].push(chunk);
    },
    end: () => {
      lines.STDOUT.end();
      lines.STDERR.end();
    },
    result: () => Buffer.concat(result).toString("utf8"),
    lastWords: () => lastLines(tail),
  };
};

const lastLines = (tail: Uint8Array): string => {
  const all: string[] = [];
  const lines = createLines((text) => {
    if (text !== "") all.push(text);
  });
  lines.push(tail);
  lines.end();
  return all.slice(-LAST_LINES).join("\n");
};
