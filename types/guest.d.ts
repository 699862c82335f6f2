/**
 * What a script finds in Millrace's sandbox. A script is one ES module:
 *
 *     import type { Context } from "../types/guest.d.ts";
 *
 *     export default async function (input: { name: string }, ctx: Context) {
 *       ctx.progress(0.5);
 *       return { greeting: `Hello, ${input.name}` };
 *     }
 *
 * To check a script:
 * `tsc --noEmit --ignoreConfig --strict --lib esnext --types "" --allowImportingTsExtensions script.ts`.
 * docs/scripts.md tells the limits and what happens at them.
 */

/** The part of AbortSignal that scripts need. */
export interface Signal {
  readonly aborted: boolean;
  /** An Error: an AbortError after a cancellation, a TimeoutError when the time is nearly over. */
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(
    type: "abort",
    listener: (event: { readonly type: "abort" }) => void,
    options?: { readonly once?: boolean },
  ): void;
  removeEventListener(type: "abort", listener: (event: { readonly type: "abort" }) => void): void;
  onabort: ((event: { readonly type: "abort" }) => void) | null;
}

/** How far the work has come. What is left out stays as it was. It never goes back. */
export interface Progress {
  /** 0.0 to 1.0. Without it, `done` of `total` counts, within the current step if there are steps. */
  readonly fraction?: number;
  readonly done?: number;
  readonly total?: number;
  /** The current step, from 1, and how many there are. */
  readonly step?: number;
  readonly steps?: number;
  /** At most 500 characters. */
  readonly message?: string;
}

/** The second argument of a script's default export. */
export interface Context {
  readonly jobId: string;
  /** Counts from 1: with each retry one more. */
  readonly attempt: number;
  /** Aborts when the job is cancelled, and when nine tenths of the attempt's time are over. */
  readonly signal: Signal;
  /** Writes values to the job's output, as a row of its log. */
  log(...values: readonly unknown[]): void;
  /** Writes text to the job's output, one row for each line. */
  output(text: string): void;
  /** Says how far the work has come: a fraction from 0.0 to 1.0, or more about it. */
  progress(progress: number | Progress): void;
  /** Waits. Rejects with the signal's reason when that aborts. */
  sleep(ms: number): Promise<void>;
}

/** What a script's default export is: its result, as JSON, is the job's result. */
export type Script<Input = unknown, Result = unknown> = (
  input: Input,
  ctx: Context,
) => Result | Promise<Result>;

/** Besides the language itself (ECMAScript, with Intl and Temporal) there is nothing but this. */
declare global {
  /** log, info, debug, dir, group, count and timeEnd write to STDOUT; the rest to STDERR. */
  var console: {
    log(...values: readonly unknown[]): void;
    info(...values: readonly unknown[]): void;
    debug(...values: readonly unknown[]): void;
    dir(value: unknown): void;
    group(...values: readonly unknown[]): void;
    groupEnd(): void;
    count(label?: string): void;
    time(label?: string): void;
    timeEnd(label?: string): void;
    error(...values: readonly unknown[]): void;
    warn(...values: readonly unknown[]): void;
    trace(...values: readonly unknown[]): void;
    assert(condition: unknown, ...values: readonly unknown[]): void;
  };
  var self: typeof globalThis;
  /** Answers with a number. At most 1,000 timers wait at once. */
  function setTimeout<A extends readonly unknown[]>(
    run: (...args: A) => unknown,
    ms?: number,
    ...args: A
  ): number;
  function setInterval<A extends readonly unknown[]>(
    run: (...args: A) => unknown,
    ms?: number,
    ...args: A
  ): number;
  function clearTimeout(id: number | undefined): void;
  function clearInterval(id: number | undefined): void;
  function queueMicrotask(run: () => void): void;
}
