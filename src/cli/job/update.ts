import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { InvalidArgumentError } from "commander";

import {
  JobUpdateService,
  UpdateJobResponseSchema,
  type UpdateJobRequestSchema,
} from "../../gen/millrace/internal/v1/job_update_service_pb.ts";
import { type Job, OutputStream } from "../../gen/millrace/v1/job_pb.ts";
import { withInternalConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addExamples, addFormatOption, type FormatOptions } from "../options.ts";
import { collect, parseInteger } from "../parse.ts";
import type { Register } from "../program.ts";
import type { InternalOptions } from "../settings.ts";
import { printLine, type Shell } from "../shell.ts";
import { hasEnded, outcomeText, progressText, stateName } from "./describe.ts";
import { readJson } from "./input.ts";
import { requireJob } from "./require-job.ts";

type Options = InternalOptions &
  FormatOptions & {
    readonly attempt?: number;
    readonly organization?: string;
    readonly seq?: number;
    readonly progress?: number;
    readonly step?: Step;
    readonly message?: string;
    readonly log?: readonly string[];
    readonly succeed?: string;
    readonly fail?: string;
    /** False with `--no-retry`. */
    readonly retry: boolean;
    readonly cancelled?: boolean;
  };

type Step = { readonly currentStep: number; readonly totalSteps: number };
type Request = MessageInitShape<typeof UpdateJobRequestSchema>;

const parseFraction = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("A fraction from 0 to 1 is expected, such as 0.5.");
};

const parseStep = (text: string): Step => {
  const [, current, total] = /^(\d{1,7})\/(\d{1,7})$/.exec(text) ?? [];
  if (current === undefined) throw new InvalidArgumentError("A step looks like 2/6.");
  return { currentStep: Number(current), totalSteps: Number(total) };
};

const endingOf = async (options: Options, shell: Shell): Promise<Request["ending"]> => {
  const { succeed, fail, cancelled, message = "" } = options;
  const given = [succeed, fail, cancelled].filter((one) => one !== undefined).length;
  if (given > 1) throw usageFailure("Only one of --succeed, --fail and --cancelled can be given.");
  if (succeed !== undefined) {
    const value = fromJson(ValueSchema, await readJson(succeed, "--succeed", shell));
    return { case: "result", value };
  }
  if (fail !== undefined) {
    return { case: "error", value: { code: fail, message, retryable: options.retry } };
  }
  return cancelled === true ? { case: "cancelled", value: {} } : undefined;
};

const requestOf = async (jobId: string, options: Options, shell: Shell) => {
  const ending = await endingOf(options, shell);
  // With --fail the message is the error's.
  const message = options.fail === undefined ? options.message : undefined;
  const { progress: fraction, step } = options;
  const tellsProgress = fraction !== undefined || step !== undefined || message !== undefined;
  return {
    jobId,
    organizationId: options.organization ?? "",
    attempt: options.attempt ?? 0,
    output: (options.log ?? []).map((text) => ({ stream: OutputStream.LOG, text })),
    ...(tellsProgress && {
      progress: { fraction: fraction ?? 0, message: message ?? "", ...step },
    }),
    ...(ending && { ending }),
  };
};

type Named = { readonly jobId: string; readonly organizationId: string; readonly attempt: number };

/**
 * The next sequence of the attempt. An empty report with the first one tells it: repeated it
 * changes nothing, and where it is the first it says nothing.
 */
const nextSeq = async (
  updates: Client<typeof JobUpdateService>,
  { jobId, organizationId, attempt }: Named,
  signal: AbortSignal,
): Promise<{ readonly seq: bigint; readonly attempt: number }> => {
  const first = { jobId, organizationId, attempt, seq: 1n };
  const answer = await updates.updateJob(first, { signal });
  return { seq: answer.lastSeq + 1n, attempt: requireJob(answer).attempt };
};

const told = (job: Job, cancelRequested: boolean): string => {
  if (hasEnded(job.state)) return outcomeText(job);
  const cancelling = cancelRequested
    ? " A cancellation waits: stop the work, then report --cancelled."
    : "";
  return `Job ${job.id} is ${stateName(job.state)}, ${progressText(job)}.${cancelling}`;
};

export const registerUpdate: Register = (parent, shell, act) => {
  const command = parent
    .command("update")
    .summary("Reports on a running job: progress, a row of its log, its end.")
    .description(
      "Reports on a running job, to the internal listener of a server. Needs a token with the role\n" +
        "job-write, or the job's own (docs/external-jobs.md).",
    )
    .argument("<job>", "the id of the job")
    .option("--progress <fraction>", "how far it has come, 0 to 1", parseFraction)
    .option("--step <step>", "such as 2/6", parseStep)
    .option("--message <text>", "what it does now; with --fail: why it failed")
    .option("--log <text>", "a row of its output; repeatable", collect)
    .option("--succeed <json>", "ends it with this result: JSON, @file, or - for stdin")
    .option("--fail <code>", "ends the attempt as failed, with this code")
    .option("--no-retry", "with --fail: another attempt cannot help")
    .option("--cancelled", "ends it as cancelled, as was asked")
    .option(
      "--attempt <number>",
      "the attempt that is spoken of; the newest if absent",
      parseInteger,
    )
    .option("--seq <number>", "the sequence of this report; the next if absent", parseInteger)
    .option("--organization <id>", "with a runner's token: the organization of the job")
    .option("--internal-url <url>", "the server's internal listener (MILLRACE_INTERNAL_URL)")
    .option("--token <token>", "a bearer token (MILLRACE_TOKEN; else that of the data directory)")
    .option("--data-dir <folder>", "where a local server keeps its data (MILLRACE_DATA_DIR)")
    .action(
      act(async (jobId: string, options: Options) => {
        const request = await requestOf(jobId, options, shell);
        return await withInternalConnection(options, shell, async ({ clientOf }) => {
          const updates = clientOf(JobUpdateService);
          const { signal } = shell;
          const numbered =
            options.seq === undefined
              ? await nextSeq(updates, request, signal)
              : { seq: BigInt(options.seq) };
          const answer = await updates.updateJob({ ...request, ...numbered }, { signal });
          if (options.seq === undefined && answer.lastSeq > numbered.seq) {
            throw new CliFailure(
              EXIT.refused,
              "Another report came first; this one was not taken.",
            );
          }
          const job = requireJob(answer);
          const text =
            options.output === "json"
              ? jsonLine(UpdateJobResponseSchema, answer)
              : told(job, answer.cancelRequested);
          printLine(shell.stdout, text);
          return EXIT.ok;
        });
      }),
    );
  addExamples(
    addFormatOption(command),
    "millrace job update $JOB --progress 0.5 --message 'half of it'",
    "millrace job update $JOB --succeed '{\"pages\": 12}'",
    "millrace job update $JOB --fail printer.jammed --message 'no paper' --no-retry",
  );
};
