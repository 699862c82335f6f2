import { post } from "./bridge.ts";
import {
  GuestTypeError,
  isFinite,
  max,
  min,
  now,
  sliceText,
  toText,
  trunc,
} from "./primordials.ts";
import type { Timers } from "./timers.ts";

type Steps = {
  readonly fraction?: unknown;
  readonly done?: unknown;
  readonly total?: unknown;
  readonly message?: unknown;
  readonly step?: unknown;
  readonly steps?: unknown;
};

export type Progress = {
  /** A fraction, or an object of `fraction`, `done`, `total`, `step`, `steps`, `message`. */
  report(progress: unknown): void;
  /** Posts what was held back. */
  flush(): void;
};

/** At most 20 posts a second; in between the newest one wins. */
const GAP_MS = 50;
const LONGEST_MESSAGE = 500;

export const createProgress = (timers: Timers): Progress => {
  let fraction = 0;
  let message = "";
  let step = 0;
  let steps = 0;
  let postedAt = -Infinity;
  let held = false;

  const flush = (): void => {
    if (!held) return;
    held = false;
    postedAt = now();
    post("progress", fraction, message, step, steps);
  };

  return {
    flush,
    report: (progress) => {
      const given: Steps =
        typeof progress === "object" && progress !== null ? progress : { fraction: progress };
      if (given.step !== undefined) step = count(given.step, "step");
      if (given.steps !== undefined) steps = count(given.steps, "steps");
      if (given.message !== undefined) {
        message = sliceText(toText(given.message), 0, LONGEST_MESSAGE);
      }
      const next = fractionOf(given, step, steps);
      if (next !== null) fraction = max(fraction, min(1, max(0, next)));
      const wasHeld = held;
      held = true;
      if (now() - postedAt >= GAP_MS) flush();
      else if (!wasHeld) timers.set(flush, GAP_MS, [], false);
    },
  };
};

const finite = (value: unknown, name: string): number => {
  if (typeof value !== "number" || !isFinite(value)) {
    throw new GuestTypeError(`progress: ${name} must be a finite number`);
  }
  return value;
};

const count = (value: unknown, name: string): number =>
  min(1_000_000, max(0, trunc(finite(value, name))));

/** `fraction` wins; else done of total, within the current step if there are steps. Null: unchanged. */
const fractionOf = (given: Steps, step: number, steps: number): number | null => {
  if (given.fraction !== undefined) return finite(given.fraction, "fraction");
  const total = given.total === undefined ? 0 : finite(given.total, "total");
  const done = given.done === undefined ? 0 : finite(given.done, "done");
  const within = total > 0 ? min(1, max(0, done / total)) : 0;
  if (steps > 0 && (given.step !== undefined || total > 0)) {
    return (max(0, step - 1) + within) / steps;
  }
  return total > 0 ? within : null;
};
