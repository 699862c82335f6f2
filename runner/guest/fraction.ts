import { GuestTypeError, isFinite, max, min, sliceText, toText, trunc } from "./primordials.ts";

/** How far one attempt has come. */
export type ProgressState = {
  readonly fraction: number;
  readonly message: string;
  readonly step: number;
  readonly steps: number;
};

export const NO_PROGRESS: ProgressState = { fraction: 0, message: "", step: 0, steps: 0 };

type Given = { readonly [K in keyof ProgressState | "done" | "total"]?: unknown };

const LONGEST_MESSAGE = 500;

/**
 * `before`, and what an author says: a fraction, or an object of `fraction`, `done`, `total`, `step`,
 * `steps`, `message`. What is left out stays as it was; the fraction never goes back.
 * @throws TypeError for numbers that are none
 */
export const nextProgress = (before: ProgressState, progress: unknown): ProgressState => {
  const given: Given =
    typeof progress === "object" && progress !== null ? progress : { fraction: progress };
  const step = given.step === undefined ? before.step : count(given.step, "step");
  const steps = given.steps === undefined ? before.steps : count(given.steps, "steps");
  const message =
    given.message === undefined
      ? before.message
      : sliceText(toText(given.message), 0, LONGEST_MESSAGE);
  const next = fractionOf(given, step, steps);
  const fraction = next === null ? before.fraction : max(before.fraction, min(1, max(0, next)));
  return { fraction, message, step, steps };
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
const fractionOf = (given: Given, step: number, steps: number): number | null => {
  if (given.fraction !== undefined) return finite(given.fraction, "fraction");
  const total = given.total === undefined ? 0 : finite(given.total, "total");
  const done = given.done === undefined ? 0 : finite(given.done, "done");
  const within = total > 0 ? min(1, max(0, done / total)) : 0;
  if (steps > 0 && (given.step !== undefined || total > 0)) {
    return (max(0, step - 1) + within) / steps;
  }
  return total > 0 ? within : null;
};
