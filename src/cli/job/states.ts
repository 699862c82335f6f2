import { InvalidArgumentError } from "commander";

import { JobState } from "../../gen/millrace/v1/job_pb.ts";

const STATES: ReadonlyMap<string, JobState> = new Map(
  Object.entries(JobState).filter(([, state]) => state !== JobState.UNSPECIFIED),
);

/** Collects repeated options into a list of states. */
export const collectState = (text: string, before: readonly JobState[] = []): JobState[] => {
  const state = STATES.get(text.toUpperCase());
  if (state === undefined) {
    throw new InvalidArgumentError(`It is one of ${[...STATES.keys()].join(", ")}.`);
  }
  return [...before, state];
};
