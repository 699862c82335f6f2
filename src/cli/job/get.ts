import { JobSchema } from "../../gen/millrace/v1/job_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { jobText } from "./describe.ts";
import { requireJob } from "./require-job.ts";

export const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows one job.")
    .argument("<job>", "the id of the job")
    .action(
      act(
        async (jobId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const job = requireJob(await jobs.getJob({ jobId }, { signal: shell.signal }));
            printLine(
              shell.stdout,
              options.output === "json" ? jsonLine(JobSchema, job) : jobText(job),
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace job get 01980d2e-5f00-7000-8000-000000000001");
};
