import type { Client } from "@connectrpc/connect";

import { type JobOutput, JobOutputSchema } from "../../gen/millrace/v1/job_pb.ts";
import type { JobService } from "../../gen/millrace/v1/job_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { parseInteger } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";

type Options = ClientOptions & { readonly offset: number; readonly limit?: number };

const PAGE = 1_000;

/** Rows from `offset`, at most `limit`, page by page. */
const readOutput = async function* (
  jobs: Client<typeof JobService>,
  jobId: string,
  offset: number,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<JobOutput> {
  for (let next = offset, left = limit; left > 0;) {
    const wanted = Math.min(PAGE, left);
    const { rows } = await jobs.listJobOutput(
      { jobId, offset: BigInt(next), limit: wanted },
      { signal },
    );
    yield* rows;
    if (rows.length < wanted) return;
    next += rows.length;
    left -= rows.length;
  }
};

export const registerOutput: Register = (parent, shell, act) => {
  const command = parent
    .command("output")
    .description("Prints what a job wrote, in order.")
    .argument("<job>", "the id of the job")
    .option("--offset <n>", "begin with this row", parseInteger, 0)
    .option("--limit <n>", "at most so many rows (all, if absent)", parseInteger)
    .action(
      act(
        async (jobId: string, options: Options) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const limit = options.limit ?? Number.MAX_SAFE_INTEGER;
            const rows = readOutput(jobs, jobId, options.offset, limit, shell.signal);
            for await (const row of rows) {
              printLine(
                shell.stdout,
                options.output === "json" ? jsonLine(JobOutputSchema, row) : row.text,
              );
            }
            return EXIT.ok;
          }),
      ),
    );
  addExamples(
    addClientOptions(command),
    "millrace job output $JOB",
    "millrace job output $JOB --offset 100 --limit 50 --output json",
  );
};
