import { JobSchema } from "../../gen/millrace/v1/job_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { hasEnded, outcomeText } from "./describe.ts";
import { requireJob } from "./require-job.ts";

type Options = ClientOptions & { readonly reason?: string };

export const registerCancel: Register = (parent, shell, act) => {
  const command = parent
    .command("cancel")
    .description("Ends a job that has not ended. A running attempt is stopped first.")
    .argument("<job>", "the id of the job")
    .option("--reason <text>", "shown with the job")
    .action(
      act(
        async (jobId: string, options: Options) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const reason = options.reason ?? "";
            const job = requireJob(
              await jobs.cancelJob({ jobId, reason }, { signal: shell.signal }),
            );
            const told = hasEnded(job.state)
              ? outcomeText(job)
              : `Job ${job.id} is being stopped. \`millrace job wait ${job.id}\` waits for it.`;
            printLine(shell.stdout, options.output === "json" ? jsonLine(JobSchema, job) : told);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), 'millrace job cancel $JOB --reason "wrong month"');
};
