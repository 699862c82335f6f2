import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";

import type { Job, JobState } from "../../gen/millrace/v1/job_pb.ts";
import { ListJobsResponseSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { collectPairs, type Moment, parseInteger, parseMoment, resolveMoment } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { printableLine } from "../view/printable.ts";
import { durationText, progressText, stateName, titleOf } from "./describe.ts";
import { collectState } from "./states.ts";

type Options = ClientOptions & {
  readonly state?: readonly JobState[];
  readonly type?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly creator?: string;
  readonly after?: Moment;
  readonly before?: Moment;
  readonly limit: number;
  readonly pageToken?: string;
  readonly total?: boolean;
};

const HEADING = ["JOB", "STATE", "NAME", "AGE", "PROGRESS"];

const row =
  (now: number, terminal: boolean) =>
  (job: Job): readonly string[] => [
    job.id,
    stateName(job.state),
    printableLine(titleOf(job), terminal),
    job.createTime === undefined ? "" : durationText(now - timestampMs(job.createTime)),
    printableLine(progressText(job), terminal),
  ];

const requestOf = (options: Options, now: number) => ({
  filter: {
    states: [...(options.state ?? [])],
    type: options.type ?? "",
    labels: { ...options.label },
    creatorId: options.creator ?? "",
    ...(options.after === undefined
      ? {}
      : { createdAfter: timestampFromMs(resolveMoment(options.after, now)) }),
    ...(options.before === undefined
      ? {}
      : { createdBefore: timestampFromMs(resolveMoment(options.before, now)) }),
  },
  pageSize: options.limit,
  pageToken: options.pageToken ?? "",
  includeTotal: options.total === true,
});

const list = async (options: Options, shell: Shell) =>
  await withConnection(options, shell, async ({ jobs }) => {
    const now = shell.clock.now();
    const answer = await jobs.listJobs(requestOf(options, now), { signal: shell.signal });
    if (options.output === "json") {
      printLine(shell.stdout, jsonLine(ListJobsResponseSchema, answer));
      return EXIT.ok;
    }
    printLine(shell.stdout, tableText(HEADING, answer.jobs.map(row(now, shell.stdout.isTTY))));
    if (answer.total !== undefined) printLine(shell.stderr, `${answer.total} in total`);
    if (answer.nextPageToken !== "") {
      printLine(shell.stderr, `More follow: --page-token ${answer.nextPageToken}`);
    }
    return EXIT.ok;
  });

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists jobs, newest first.")
    .option("--state <state>", "only jobs in this state; may be repeated", collectState)
    .option("--type <name>", "only jobs of this type")
    .option("--label <key=value>", "only jobs with this label; may be repeated", collectPairs)
    .option("--creator <user>", "only jobs that this user submitted")
    .option("--after <time>", "only jobs created at this time or later", parseMoment)
    .option("--before <time>", "only jobs created before this time", parseMoment)
    .option("--limit <n>", "at most so many", parseInteger, 50)
    .option("--page-token <token>", "the page that follows")
    .option("--total", "also count all that match")
    .action(act(async (options: Options) => await list(options, shell)));
  addExamples(
    addClientOptions(command),
    "millrace job list --state running --state queued",
    "millrace job list --label month=2026-11 --total --output json",
  );
};
