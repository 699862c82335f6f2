import type { Ending, OutputStream, Progress, Report } from "./executor.ts";
import { cutUtf8 } from "./utf8.ts";

export type OutputLine = { readonly stream: OutputStream; readonly text: string };

export type StepLine = { readonly name: string; readonly result: string };

/** Told once: whether the server has the step for good. */
type StepWaiter = { readonly line: StepLine; readonly told: (durable: boolean) => void };

/** One report of an attempt, as it is repeated until it is acknowledged. */
export type Update = {
  /** Counts from 1 within an attempt. */
  readonly seq: number;
  readonly progress: Progress | null;
  readonly output: readonly OutputLine[];
  readonly steps: readonly StepLine[];
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
export type Outbox = Pick<Report, "output" | "progress"> & {
  /** `told` is called once: true when the server has acknowledged it, false when it never will. */
  step(line: StepLine, told: (durable: boolean) => void): void;
  /** Nothing is sent any more: who waits for a step, now or later, is told so. */
  forget(): void;
  /** Somebody waits for the acknowledgement: it is not to be held back for more. */
  urgent(): boolean;
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
const STEPS_PER_UPDATE = 100;
const STEP_TEXT_PER_UPDATE = 1024 * 1024;
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
  let steps: StepWaiter[] = [];
  let stepsUnderWay: StepWaiter[] = [];
  let ending: Ending | null = null;
  let done = false;
  let replaced = false;
  let forgotten = false;

  const waiting = (): boolean =>
    !done &&
    (underWay !== null ||
      lines.length > 0 ||
      progress !== null ||
      steps.length > 0 ||
      ending !== null);

  const takeSteps = (): StepLine[] => {
    let size = 0;
    let count = 0;
    for (const { line } of steps) {
      size += line.result.length;
      if (count > 0 && (count >= STEPS_PER_UPDATE || size > STEP_TEXT_PER_UPDATE)) break;
      count += 1;
    }
    stepsUnderWay = steps.slice(0, count);
    steps = steps.slice(count);
    return stepsUnderWay.map(({ line }) => line);
  };

  const tell = (durable: boolean): void => {
    const told = stepsUnderWay;
    stepsUnderWay = [];
    for (const waiter of told) waiter.told(durable);
  };

  const dropSteps = (): void => {
    tell(false);
    stepsUnderWay = steps;
    steps = [];
    tell(false);
  };

  const take = (): Update => {
    const output = lines.length <= LINES_PER_UPDATE ? lines : lines.slice(0, LINES_PER_UPDATE);
    lines = lines.length <= LINES_PER_UPDATE ? [] : lines.slice(LINES_PER_UPDATE);
    const update: Update = {
      seq: ++seq,
      progress,
      output,
      steps: takeSteps(),
      ending: lines.length === 0 && steps.length === 0 ? ending : null,
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
    step: (line, told) => {
      if (ending === null && !forgotten) steps.push({ line, told });
      else told(false);
    },
    forget: () => {
      forgotten = true;
      dropSteps();
    },
    urgent: () => ending !== null || steps.length > 0,
    end: (how) => {
      ending ??= how;
    },
    refused: (instead) => {
      if (replaced) return false;
      replaced = true;
      // What was refused was not applied: its number is free.
      if (underWay !== null) seq -= 1;
      [underWay, lines, progress, ending] = [null, [], null, instead];
      dropSteps();
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
      tell(true);
    },
    ended: () => ending !== null,
    done: () => done,
  };
};
