import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import type { Connection } from "../connection.ts";
import type { OutputFormat } from "../options.ts";
import { printLine, type Shell } from "../shell.ts";
import { createJobView } from "../view/job-view.ts";
import { outcomeText } from "./describe.ts";
import { follow } from "./follow.ts";

/** Shows a job until it has ended, and answers with it. */
export const watchToEnd = async (
  jobs: Connection["jobs"],
  jobId: string,
  format: OutputFormat,
  shell: Shell,
): Promise<Job> => {
  const view = createJobView(format, shell);
  const changes = follow({
    jobs,
    jobId,
    clock: shell.clock,
    signal: shell.signal,
    onBreak: (error) => {
      view.note(`The connection broke (${error.rawMessage}); taking it up again …`);
    },
  });
  let job: Job;
  try {
    let change = await changes.next();
    for (; change.done !== true; change = await changes.next()) view.show(change.value);
    job = change.value;
  } finally {
    view.end();
    if (shell.signal.aborted) {
      printLine(shell.stderr, `The job goes on: \`millrace job watch ${jobId}\` shows it again.`);
    }
  }
  if (format === "text") printLine(shell.stderr, outcomeText(job));
  return job;
};
