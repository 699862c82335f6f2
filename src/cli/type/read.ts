import { timestampDate } from "@bufbuild/protobuf/wkt";

import {
  type JobType,
  JobTypeSchema,
  JobTypeService,
  ListJobTypesResponseSchema,
  ListJobTypeVersionsResponseSchema,
} from "../../gen/millrace/v1/job_type_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { parseInteger } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { printableLine } from "../view/printable.ts";

type PageOptions = ClientOptions & { readonly limit: number; readonly pageToken?: string };

const stateOf = ({ enabled, circuitBreaker }: JobType): string => {
  if (!enabled) return "disabled";
  return circuitBreaker?.open === true ? "paused" : "enabled";
};

/** What it runs: `script`, `handler mail`, `command convert` or `external`. */
const workOf = ({ spec, scriptHash }: JobType): string => {
  const work = spec?.work;
  if (work?.case === "handler" || work?.case === "command") {
    return `${work.case} ${work.value.name}`;
  }
  return work?.case === "script" ? `script ${scriptHash.slice(0, 12)}` : (work?.case ?? "");
};

const createdAt = ({ createTime }: JobType): string =>
  createTime === undefined ? "" : timestampDate(createTime).toISOString();

const lineOf =
  (shell: Shell) =>
  (type: JobType): readonly string[] => [
    type.spec?.name ?? "",
    `${type.version}`,
    stateOf(type),
    workOf(type),
    type.spec?.maxRunning === undefined ? "" : `${type.spec.maxRunning}`,
    createdAt(type),
    printableLine(type.spec?.description ?? "", shell.stdout.isTTY),
  ];

const HEADING = ["TYPE", "VERSION", "STATE", "RUNS", "AT ONCE", "CREATED", "DESCRIPTION"];

const printTypes = (types: readonly JobType[], nextPageToken: string, shell: Shell): void => {
  printLine(shell.stdout, tableText(HEADING, types.map(lineOf(shell))));
  if (nextPageToken !== "") printLine(shell.stderr, `More follow: --page-token ${nextPageToken}`);
};

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists job types by name.")
    .option("--limit <n>", "at most so many", parseInteger, 50)
    .option("--page-token <token>", "the page that follows")
    .action(
      act(
        async (options: PageOptions) =>
          await withConnection(options, shell, async ({ clientOf }) => {
            const page = { pageSize: options.limit, pageToken: options.pageToken ?? "" };
            const { signal } = shell;
            const answer = await clientOf(JobTypeService).listJobTypes(page, { signal });
            if (options.output === "json") {
              printLine(shell.stdout, jsonLine(ListJobTypesResponseSchema, answer));
            } else printTypes(answer.jobTypes, answer.nextPageToken, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace type list");
};

export const registerVersions: Register = (parent, shell, act) => {
  const command = parent
    .command("versions")
    .description("Lists the versions of a type, newest first.")
    .argument("<type>", "the name of the type")
    .option("--limit <n>", "at most so many", parseInteger, 50)
    .option("--page-token <token>", "the page that follows")
    .action(
      act(
        async (name: string, options: PageOptions) =>
          await withConnection(options, shell, async ({ clientOf }) => {
            const page = { name, pageSize: options.limit, pageToken: options.pageToken ?? "" };
            const { signal } = shell;
            const answer = await clientOf(JobTypeService).listJobTypeVersions(page, { signal });
            if (options.output === "json") {
              printLine(shell.stdout, jsonLine(ListJobTypeVersionsResponseSchema, answer));
            } else printTypes(answer.versions, answer.nextPageToken, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace type versions greet");
};

type GetOptions = ClientOptions & { readonly typeVersion: number };

const typeText = (type: JobType, shell: Shell): string => {
  const { circuitBreaker: breaker, spec } = type;
  const facts: readonly (readonly [string, string])[] = [
    ["type", spec?.name ?? ""],
    ["version", `${type.version} of ${type.newestVersion}`],
    ["state", stateOf(type)],
    ["paused because", breaker?.open === true ? breaker.reason : ""],
    ["runs", workOf(type)],
    ["at once", spec?.maxRunning === undefined ? "" : `${spec.maxRunning}`],
    ["created", createdAt(type)],
    ["description", printableLine(spec?.description ?? "", shell.stdout.isTTY)],
    ["input", spec?.inputSchema === undefined ? "any" : JSON.stringify(spec.inputSchema)],
  ];
  return facts
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(15)} ${value}`)
    .join("\n");
};

export const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows one type; with --output json also its script.")
    .argument("<type>", "the name of the type")
    .option("--type-version <n>", "a version, instead of the newest", parseInteger, 0)
    .action(
      act(
        async (name: string, options: GetOptions) =>
          await withConnection(options, shell, async ({ clientOf }) => {
            const request = { name, version: options.typeVersion };
            const { signal } = shell;
            const { jobType } = await clientOf(JobTypeService).getJobType(request, { signal });
            if (jobType === undefined) {
              throw new CliFailure(EXIT.refused, "The server answered without a type.");
            }
            const json = options.output === "json";
            printLine(
              shell.stdout,
              json ? jsonLine(JobTypeSchema, jobType) : typeText(jobType, shell),
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace type get greet");
};
