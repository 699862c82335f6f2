import type { Ending, OutputStream, Progress, Report } from "./executor.ts";
import { cutUtf8 } from "./utf8.ts";

export type OutputLine = { readonly stream: OutputStream; readonly text: string };

/** One report of an attempt, as it is repeated until it is acknowledged. */
export type Update = {
  /** Counts from 1 within an attempt. */
  readonly seq: number;
  readonly progress: Progress | null;
  readonly output: readonly OutputLine[];
  readonly ending: Ending | null;
};

export type OutboxLimits = {
  readonly outputBytes: number;
  readonly outputLines: number;
  readonly lineBytes: number;
};

/**
 * What one attempt has to say and what the server has not acknowledged yet. Bounded: output by its
 * caps, progress because only the newest counts. The same update comes back from `next` until it is
 * acknowledged, so a repetition is exactly what was sent before.
 */
export type Outbox = Report & {
  end(ending: Ending): void;
  /**
   * The server will not take the update under way: it and all that waits is dropped, and the attempt
   * ends in this way instead. False if that itself was refused.
   */
  refused(instead: Ending): boolean;
  /** The update under way, else a new one, else null. */
  next(): Update | null;
  acknowledged(): void;
  /** Whether anything waits to be sent. */
  waiting(): boolean;
  /** Whether the ending has been said by the executor. */
  ended(): boolean;
  /** Whether the ending has been acknowledged. */
  done(): boolean;
};

/** The server takes no more in one report. */
const LINES_PER_UPDATE = 1_000;
const LONGEST_PROGRESS_MESSAGE = 500;
const FULL: OutputLine = { stream: "LOG", text: "output limit reached: the rest is dropped" };

export const createOutbox = (limits: OutboxLimits): Outbox => {
  let seq = 0;
  let underWay: Update | null = null;
  let lines: OutputLine[] = [];
  let linesLeft = limits.outputLines;
  let bytesLeft = limits.outputBytes;
  let progress: Progress | null = null;
  let fraction = 0;
  let ending: Ending | null = null;
  let done = false;
  let replaced = false;

  const waiting = (): boolean =>
    !done && (underWay !== null || lines.length > 0 || progress !== null || ending !== null);

  const take = (): Update => {
    const output = lines.length <= LINES_PER_UPDATE ? lines : lines.slice(0, LINES_PER_UPDATE);
    lines = lines.length <= LINES_PER_UPDATE ? [] : lines.slice(LINES_PER_UPDATE);
    const update: Update = {
      seq: ++seq,
      progress,
      output,
      ending: lines.length === 0 ? ending : null,
    };
    progress = null;
    return update;
  };

  return {
    waiting,
    output: (stream, text) => {
      if (ending !== null || linesLeft < 0) return;
      const line = cutUtf8(text, limits.lineBytes);
      linesLeft -= 1;
      bytesLeft -= Buffer.byteLength(line);
      if (linesLeft >= 0 && bytesLeft >= 0) {
        lines.push({ stream, text: line });
      } else {
        linesLeft = -1;
        lines.push(FULL);
      }
    },
    progress: (next) => {
      if (ending !== null) return;
      fraction = Math.max(fraction, Math.min(1, next.fraction || 0));
      progress = { ...next, fraction, message: next.message.slice(0, LONGEST_PROGRESS_MESSAGE) };
    },
    end: (how) => {
      ending ??= how;
    },
    refused: (instead) => {
      if (replaced) return false;
      replaced = true;
      // What was refused was not applied: its number is free.
      if (underWay !== null) seq -= 1;
      [underWay, lines, progress, ending] = [null, [], null, instead];
      return true;
    },
    next: () => {
      if (!waiting()) return null;
      underWay ??= take();
      return underWay;
    },
    acknowledged: () => {
      if (underWay !== null && underWay.ending !== null) done = true;
      underWay = null;
    },
    ended: () => ending !== null,
    done: () => done,
  };
};
