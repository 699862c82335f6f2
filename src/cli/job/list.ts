import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";

import type { Job, JobState } from "../../gen/millrace/v1/job_pb.ts";
import { ListJobsResponseSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import { collectPairs, type Moment, parseMoment, resolveMoment } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { durationText, progressText, stateName, titleOf } from "./describe.ts";
import { collectState } from "./states.ts";

type Options = ClientOptions &
  PageOptions & {
    readonly state?: readonly JobState[];
    readonly type?: string;
    readonly label?: Readonly<Record<string, string>>;
    readonly creator?: string;
    readonly after?: Moment;
    readonly before?: Moment;
    readonly total?: boolean;
  };

const HEADING = ["JOB", "STATE", "NAME", "AGE", "PROGRESS"];

const row =
  (now: number) =>
  (job: Job): readonly string[] => [
    job.id,
    stateName(job.state),
    titleOf(job),
    job.createTime === undefined ? "" : durationText(now - timestampMs(job.createTime)),
    progressText(job),
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
  ...pageOf(options),
  includeTotal: options.total === true,
});

const list = async (options: Options, shell: Shell) =>
  await withConnection(options, shell, async ({ jobs }) => {
    const now = shell.clock.now();
    const answer = await jobs.listJobs(requestOf(options, now), { signal: shell.signal });
    const rows = answer.jobs.map(row(now));
    printPage(shell, options, { schema: ListJobsResponseSchema, answer, heading: HEADING, rows });
    if (options.output === "text" && answer.total !== undefined) {
      printLine(shell.stderr, `${answer.total} in total`);
    }
    return EXIT.ok;
  });

export const registerList: Register = (parent, shell, act) => {
  const command = addPageOptions(
    parent
      .command("list")
      .description("Lists jobs, newest first.")
      .option("--state <state>", "only jobs in this state; may be repeated", collectState)
      .option("--type <name>", "only jobs of this type")
      .option("--label <key=value>", "only jobs with this label; may be repeated", collectPairs)
      .option("--creator <user>", "only jobs that this user submitted")
      .option("--after <time>", "only jobs created at this time or later", parseMoment)
      .option("--before <time>", "only jobs created before this time", parseMoment),
  )
    .option("--total", "also count all that match")
    .action(act(async (options: Options) => await list(options, shell)));
  addExamples(
    addClientOptions(command),
    "millrace job list --state running --state queued",
    "millrace job list --label month=2026-11 --total --output json",
  );
};
