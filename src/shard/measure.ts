import type { Millis } from "../jobs/job.ts";
import type { JobState } from "../jobs/states.ts";
import type { Threshold } from "../jobs/threshold.ts";
import { Census, censusOf, endingsOf, oldestQueuedBeside } from "./census.ts";

/** The jobs of an organization: all of them, and those that came of hooks. */
export type Population = { readonly census: Census; readonly ofHooks: Census };

const NOBODY = { census: new Census() };

/**
 * The number that a threshold looks at. A hook that submits jobs counts no jobs that came of hooks:
 * what it does never moves what it looks at.
 */
export const measure = (
  population: Population,
  { metric, type: name }: Threshold,
  submitsJobs: boolean,
  now: Millis,
): number => {
  const type = name === "" ? null : name;
  const aside = submitsJobs ? { census: population.ofHooks } : NOBODY;
  const count = (state: JobState): number =>
    (censusOf(population, type).states.get(state) ?? 0) -
    (censusOf(aside, type).states.get(state) ?? 0);
  switch (metric) {
    case "QUEUED_JOBS":
      return count("QUEUED");
    case "RUNNING_JOBS":
      return count("RUNNING");
    case "QUEUE_AGE_SECONDS": {
      const oldest = oldestQueuedBeside(population, aside, type);
      return oldest === null ? 0 : Math.max(0, now - oldest) / 1_000;
    }
    case "FAILURE_RATIO": {
      const [all, others] = [endingsOf(population, type, now), endingsOf(aside, type, now)];
      const ended = all.ended - others.ended;
      return ended === 0 ? 0 : (all.failed - others.failed) / ended;
    }
  }
};
