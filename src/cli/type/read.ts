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
import { factsText } from "../facts.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import { parseInteger } from "../parse.ts";
import type { Register } from "../program.ts";
import { requireAnswer } from "../require-answer.ts";
import { printLine } from "../shell.ts";

type ListOptions = ClientOptions & PageOptions;

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

const lineOf = (type: JobType): readonly string[] => [
  type.spec?.name ?? "",
  `${type.version}`,
  stateOf(type),
  workOf(type),
  type.spec?.maxRunning === undefined ? "" : `${type.spec.maxRunning}`,
  createdAt(type),
  type.spec?.description ?? "",
];

const HEADING = ["TYPE", "VERSION", "STATE", "RUNS", "AT ONCE", "CREATED", "DESCRIPTION"];

export const registerList: Register = (parent, shell, act) => {
  const command = addPageOptions(
    parent.command("list").description("Lists job types by name."),
  ).action(
    act(
      async (options: ListOptions) =>
        await withConnection(options, shell, async ({ clientOf }) => {
          const page = pageOf(options);
          const { signal } = shell;
          const answer = await clientOf(JobTypeService).listJobTypes(page, { signal });
          const rows = answer.jobTypes.map(lineOf);
          printPage(shell, options, {
            schema: ListJobTypesResponseSchema,
            answer,
            heading: HEADING,
            rows,
          });
          return EXIT.ok;
        }),
    ),
  );
  addExamples(addClientOptions(command), "millrace type list");
};

export const registerVersions: Register = (parent, shell, act) => {
  const command = addPageOptions(
    parent
      .command("versions")
      .description("Lists the versions of a type, newest first.")
      .argument("<type>", "the name of the type"),
  ).action(
    act(
      async (name: string, options: ListOptions) =>
        await withConnection(options, shell, async ({ clientOf }) => {
          const page = { name, ...pageOf(options) };
          const { signal } = shell;
          const answer = await clientOf(JobTypeService).listJobTypeVersions(page, { signal });
          const rows = answer.versions.map(lineOf);
          printPage(shell, options, {
            schema: ListJobTypeVersionsResponseSchema,
            answer,
            heading: HEADING,
            rows,
          });
          return EXIT.ok;
        }),
    ),
  );
  addExamples(addClientOptions(command), "millrace type versions greet");
};

type GetOptions = ClientOptions & { readonly typeVersion: number };

const typeText = (type: JobType): string => {
  const { circuitBreaker: breaker, spec } = type;
  return factsText([
    ["type", spec?.name ?? ""],
    ["version", `${type.version} of ${type.newestVersion}`],
    ["state", stateOf(type)],
    ["paused because", breaker?.open === true ? breaker.reason : ""],
    ["runs", workOf(type)],
    ["at once", spec?.maxRunning === undefined ? "" : `${spec.maxRunning}`],
    ["created", createdAt(type)],
    ["description", spec?.description ?? ""],
    ["input", spec?.inputSchema === undefined ? "any" : JSON.stringify(spec.inputSchema)],
  ]);
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
            const answer = await clientOf(JobTypeService).getJobType(request, { signal });
            const jobType = requireAnswer(answer.jobType, "type");
            const json = options.output === "json";
            printLine(shell.stdout, json ? jsonLine(JobTypeSchema, jobType) : typeText(jobType));
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace type get greet");
};
