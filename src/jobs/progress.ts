import type { Progress } from "./job.ts";

/**
 * Progress never goes back within an attempt: a smaller fraction, or step, keeps the larger one. A
 * report that speaks of no steps leaves them; there are never fewer of them than have been taken.
 */
export const advance = (before: Progress, reported: Progress): Progress => {
  const currentStep = Math.max(before.currentStep, reported.currentStep);
  const totalSteps = reported.totalSteps === 0 ? before.totalSteps : reported.totalSteps;
  return {
    fraction: Math.max(before.fraction, Math.min(1, reported.fraction)),
    message: reported.message,
    currentStep,
    totalSteps: totalSteps === 0 ? 0 : Math.max(totalSteps, currentStep),
  };
};
