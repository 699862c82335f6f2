import pc from "picocolors";

import { JobState } from "../../gen/millrace/v1/job_pb.ts";

export type Colours = ReturnType<typeof pc.createColors>;

/** What a reader without a terminal gets. */
export const NO_COLOURS: Colours = pc.createColors(false);

export const TERMINAL_COLOURS: Colours = pc.createColors(true);

export const colourOf = (state: JobState, colours: Colours): ((text: string) => string) => {
  switch (state) {
    case JobState.SUCCEEDED:
      return colours.green;
    case JobState.FAILED:
      return colours.red;
    case JobState.CANCELLED:
      return colours.yellow;
    case JobState.RUNNING:
      return colours.cyan;
    default:
      return colours.dim;
  }
};
