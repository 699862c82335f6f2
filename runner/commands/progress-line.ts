import type { Progress } from "../executor.ts";

/** `::progress 0.25 words` or `::progress 3/10 words`. */
const LINE = /^::progress (?:(\d(?:\.\d{1,10})?|\.\d{1,10})|(\d{1,9})\/(\d{1,9}))(?: (.*))?$/;

/** Null for every other line. */
export const progressOf = (line: string): Progress | null => {
  const [whole, fraction, step, steps, message = ""] = LINE.exec(line) ?? [];
  if (whole === undefined) return null;
  if (fraction !== undefined) {
    return Number(fraction) <= 1
      ? { fraction: Number(fraction), message, currentStep: 0, totalSteps: 0 }
      : null;
  }
  const [current, total] = [Number(step), Number(steps)];
  if (total === 0 || current > total) return null;
  return { fraction: current / total, message, currentStep: current, totalSteps: total };
};
