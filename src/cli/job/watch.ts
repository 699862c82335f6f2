import { withConnection } from "../connection.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { exitCodeOf } from "./describe.ts";
import { watchToEnd } from "./watch-to-end.ts";

export const registerWatch: Register = (parent, shell, act) => {
  const command = parent
    .command("watch")
    .description(
      "Shows a job while it runs: progress, output, end. The exit code tells how it ended.",
    )
    .argument("<job>", "the id of the job")
    .action(
      act(
        async (jobId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const job = await watchToEnd(jobs, jobId, options.output, shell);
            return exitCodeOf(job.state);
          }),
      ),
    );
  addExamples(
    addClientOptions(command),
    "millrace job watch $JOB",
    "millrace job watch $JOB --output json | jq .job.progress.fraction",
  );
};
