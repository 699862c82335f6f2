import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";

import { type Job, JobState } from "../../gen/millrace/v1/job_pb.ts";
import {
  RunJobResponseSchema,
  SubmitJobResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { type Connection, withConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { parseMoment } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { exitCodeOf, outcomeText } from "./describe.ts";
import { requireJob } from "./require-job.ts";
import { resultText } from "./result-text.ts";
import { addSpecOptions, readSpec, type SpecArguments } from "./spec-options.ts";
import { waitForEnd } from "./wait-for-end.ts";
import { watchToEnd } from "./watch-to-end.ts";

type Options = ClientOptions &
  SpecArguments & {
    readonly requestId?: string;
    readonly jobId?: string;
    readonly validateOnly?: boolean;
    readonly watch?: boolean;
    readonly wait?: boolean;
  };

const requestOf = async (options: Options, shell: Shell) => {
  return {
    spec: await readSpec(options, shell),
    requestId: options.requestId ?? "",
    jobId: options.jobId ?? "",
    validateOnly: options.validateOnly === true,
  };
};

/** With `--wait`: the result on stdout, or how else it ended on stderr. */
const finish = async (
  jobs: Connection["jobs"],
  submitted: Job,
  created: boolean,
  options: Options,
  shell: Shell,
): Promise<ExitCode> => {
  const job = await waitForEnd(jobs, submitted.id, shell, () => {});
  const succeeded = job.state === JobState.SUCCEEDED;
  const { result } = succeeded
    ? await jobs.getJobResult({ jobId: job.id }, { signal: shell.signal })
    : { result: undefined };
  if (options.output === "json") {
    const answer = create(RunJobResponseSchema, {
      job,
      created,
      ...(result === undefined ? {} : { result }),
    });
    printLine(shell.stdout, jsonLine(RunJobResponseSchema, answer));
  } else if (result !== undefined) {
    printLine(shell.stdout, resultText(toJson(ValueSchema, result), { output: "text" }));
  } else {
    printLine(shell.stderr, outcomeText(job));
  }
  return exitCodeOf(job.state);
};

const submit = async (options: Options, shell: Shell): Promise<ExitCode> => {
  if (options.watch === true && options.wait === true) {
    throw usageFailure("--watch and --wait exclude each other.");
  }
  const request = await requestOf(options, shell);
  return await withConnection(options, shell, async ({ jobs }) => {
    const answer = await jobs.submitJob(request, { signal: shell.signal });
    const follows = options.watch === true || options.wait === true;
    if (options.output === "json" && !follows) {
      printLine(shell.stdout, jsonLine(SubmitJobResponseSchema, answer));
      return EXIT.ok;
    }
    if (request.validateOnly) {
      printLine(shell.stdout, "The job is valid. Nothing was created.");
      return EXIT.ok;
    }
    const job = requireJob(answer);
    if (options.wait === true) return await finish(jobs, job, answer.created, options, shell);
    if (options.watch === true) {
      if (options.output === "text") printLine(shell.stderr, `Job ${job.id} is accepted.`);
      return exitCodeOf((await watchToEnd(jobs, job.id, options.output, shell)).state);
    }
    printLine(shell.stdout, job.id);
    return EXIT.ok;
  });
};

export const registerSubmit: Register = (parent, shell, act) => {
  const command = addSpecOptions(
    parent.command("submit").description("Submits a job and prints its id, once it is durable."),
  )
    .option("--run-at <time>", "not before: 2027-01-31T08:00:00Z or +10m", parseMoment)
    .option("--request-id <id>", "the same id with the same content is the same job")
    .option("--job-id <uuid>", "an id of your own choice: a UUIDv7")
    .option("--validate-only", "check everything, create nothing")
    .option("--watch", "show it while it runs")
    .option("--wait", "wait for its end and print the result")
    .action(act(async (options: Options) => await submit(options, shell)));
  addExamples(
    addClientOptions(command),
    "millrace job submit --script report.ts --input '{\"month\": 11}' --watch",
    "millrace job submit --script report.ts --input-file csv=quotes.csv --wait > report.json",
    "millrace job submit --type send-mail --input @mail.json --request-id mail-4711",
  );
};
