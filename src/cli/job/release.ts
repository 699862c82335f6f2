import { JobSchema } from "../../gen/millrace/v1/job_pb.ts";
import { UserService } from "../../gen/millrace/v1/user_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { requireJob } from "./require-job.ts";

export const registerRelease: Register = (parent, shell, act) => {
  const command = parent
    .command("release")
    .description("Lets a HELD job go on: gives its user the attribute release-job. For admins.")
    .argument("<job>", "the id of the job")
    .action(
      act(
        async (jobId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs, clientOf }) => {
            const { signal } = shell;
            const { runAs: userId } = requireJob(await jobs.getJob({ jobId }, { signal }));
            if (userId === "") {
              throw new CliFailure(
                EXIT.refused,
                `Job ${jobId} acts for no user: nothing holds it.`,
                {
                  reason: "JOB_NOT_HELD",
                },
              );
            }
            const attribute = { userId, name: "release-job", value: jobId };
            await clientOf(UserService).setUserAttribute(attribute, { signal });
            if (options.output === "json") {
              const job = requireJob(await jobs.getJob({ jobId }, { signal }));
              printLine(shell.stdout, jsonLine(JobSchema, job));
            } else {
              printLine(shell.stdout, `Job ${jobId} is released.`);
            }
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace job release $JOB");
};
