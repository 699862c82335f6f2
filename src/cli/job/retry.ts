import { JobSchema } from "../../gen/millrace/v1/job_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { stateName } from "./describe.ts";
import { requireJob } from "./require-job.ts";

export const registerRetry: Register = (parent, shell, act) => {
  const command = parent
    .command("retry")
    .description("Gives a failed job another attempt.")
    .argument("<job>", "the id of the job")
    .action(
      act(
        async (jobId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const job = requireJob(await jobs.retryJob({ jobId }, { signal: shell.signal }));
            const told = `Job ${job.id} is ${stateName(job.state)} again.`;
            printLine(shell.stdout, options.output === "json" ? jsonLine(JobSchema, job) : told);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace job retry $JOB");
};
