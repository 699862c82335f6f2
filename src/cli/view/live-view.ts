import { MultiBar } from "cli-progress";
import pc from "picocolors";

import { type Job, OutputStream } from "../../gen/millrace/v1/job_pb.ts";
import { progressText, stateName } from "../job/describe.ts";
import { colourOf } from "./colours.ts";
import type { JobView } from "./job-view.ts";
import { printableLine } from "./printable.ts";

const BAR_WIDTH = 32;

/** `RUNNING    ████████░░░░░░░░  42 %  step 2/6  query: …` */
const barText = (job: Job): string => {
  const filled = Math.round((job.progress?.fraction ?? 0) * BAR_WIDTH);
  const bar = "█".repeat(filled) + pc.dim("░".repeat(BAR_WIDTH - filled));
  const colour = colourOf(job.state, pc);
  return `${colour(stateName(job.state).padEnd(9))}  ${colour(bar)}  ${printableLine(progressText(job), true)}`;
};

/** A bar that moves, with what the job writes in lines above it. */
export const createLiveView = (terminal: NodeJS.WriteStream): JobView => {
  const bars = new MultiBar({
    stream: terminal,
    format: (_options, _params, payload: { readonly text: string }) => payload.text,
    linewrap: false,
    hideCursor: true,
    forceRedraw: true,
    gracefulExit: false,
    // cli-progress cuts its last line by its length with colours: it is written here instead.
    clearOnComplete: true,
    fps: 15,
  });
  const bar = bars.create(1, 0, { text: "" });
  let text = "";
  return {
    show: ({ job, output }) => {
      for (const row of output) {
        const line = printableLine(row.text, true);
        bars.log(`${row.stream === OutputStream.STDERR ? pc.red(line) : line}\n`);
      }
      if (job === undefined) return;
      text = barText(job);
      bar.update(0, { text });
    },
    note: (line) => {
      bars.log(`${pc.yellow(line)}\n`);
    },
    end: () => {
      bars.stop();
      if (text !== "") terminal.write(`${text}\n`);
    },
  };
};
