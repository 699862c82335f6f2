import { JobSchema } from "../../gen/millrace/v1/job_pb.ts";
import { withConnection } from "../connection.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { exitCodeOf, outcomeText } from "./describe.ts";
import { waitForEnd } from "./wait-for-end.ts";

export const registerWait: Register = (parent, shell, act) => {
  const command = parent
    .command("wait")
    .description("Waits in silence for the end of a job. The exit code tells how it ended.")
    .argument("<job>", "the id of the job")
    .action(
      act(
        async (jobId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const job = await waitForEnd(jobs, jobId, shell, (error) => {
              printLine(shell.stderr, `The connection broke (${error.rawMessage}); trying again …`);
            });
            printLine(
              shell.stdout,
              options.output === "json" ? jsonLine(JobSchema, job) : outcomeText(job),
            );
            return exitCodeOf(job.state);
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace job wait $JOB && millrace job result $JOB");
};
