import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import { progressText, stateName } from "../job/describe.ts";
import { printLine } from "../shell.ts";
import type { JobView } from "./job-view.ts";

/** A log is no bar: progress within one step gets a line each tenth of the way. */
const WORTH_A_LINE = 0.1;

const differs = (before: Job, after: Job): boolean =>
  before.state !== after.state ||
  before.attempt !== after.attempt ||
  before.progress?.currentStep !== after.progress?.currentStep ||
  Math.abs((after.progress?.fraction ?? 0) - (before.progress?.fraction ?? 0)) >= WORTH_A_LINE;

/** Lines for logs and pipes: what the job wrote on stdout, how it goes on stderr. */
export const createPlainView = (
  stdout: NodeJS.WritableStream,
  stderr: NodeJS.WritableStream,
): JobView => {
  let told: Job | null = null;
  return {
    show: ({ job, output }) => {
      for (const row of output) printLine(stdout, row.text);
      if (job === undefined || (told !== null && !differs(told, job))) return;
      told = job;
      printLine(stderr, `${stateName(job.state).padEnd(9)}  ${progressText(job)}`.trimEnd());
    },
    note: (text) => {
      printLine(stderr, text);
    },
    end: () => {},
  };
};
