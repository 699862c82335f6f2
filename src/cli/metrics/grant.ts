import { Option } from "commander";

import {
  ListMetricGrantsResponseSchema,
  type Metric,
  type MetricGrant,
  MetricGrantSchema,
  MetricsService,
} from "../../gen/millrace/v1/metrics_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { requireAnswer } from "../require-answer.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { METRIC_NAMES, metricName, parseMetrics, parseTypes, typeName } from "./names.ts";

type WhoOptions = ClientOptions & { readonly user?: string; readonly everybody?: boolean };
type PutOptions = WhoOptions & {
  readonly metrics: readonly Metric[];
  readonly types: readonly string[];
};

const HEADING = ["USER", "METRICS", "TYPES", "BY"];

const rowOf = (grant: MetricGrant): readonly string[] => [
  grant.userId === "" ? "everybody" : grant.userId,
  grant.metrics.map(metricName).join(" "),
  grant.types.length === 0 ? "all" : grant.types.map(typeName).join(" "),
  grant.createdBy,
];

/** @throws CliFailure unless exactly one is named: opening numbers to everybody is never a slip. */
const userOf = ({ user, everybody }: WhoOptions): string => {
  if ((user === undefined) !== (everybody === true)) {
    throw new CliFailure(EXIT.usage, "Name a user with --user, or say --everybody.");
  }
  return user ?? "";
};

const put = async (options: PutOptions, shell: Shell) => {
  const wanted = {
    userId: userOf(options),
    metrics: [...options.metrics],
    types: [...options.types],
  };
  return await withConnection(options, shell, async ({ clientOf }) => {
    const answer = await clientOf(MetricsService).putMetricGrant(
      { grant: wanted },
      { signal: shell.signal },
    );
    const grant = requireAnswer(answer.grant, "grant");
    printLine(
      shell.stdout,
      options.output === "json"
        ? jsonLine(MetricGrantSchema, grant)
        : tableText(HEADING, [rowOf(grant)]),
    );
    return EXIT.ok;
  });
};

const list = async (options: ClientOptions, shell: Shell) =>
  await withConnection(options, shell, async ({ clientOf }) => {
    const answer = await clientOf(MetricsService).listMetricGrants({}, { signal: shell.signal });
    printLine(
      shell.stdout,
      options.output === "json"
        ? jsonLine(ListMetricGrantsResponseSchema, answer)
        : tableText(HEADING, answer.grants.map(rowOf)),
    );
    return EXIT.ok;
  });

const remove = async (options: WhoOptions, shell: Shell) => {
  const userId = userOf(options);
  const who = userId === "" ? "everybody" : userId;
  return await withConnection(options, shell, async ({ clientOf }) => {
    await clientOf(MetricsService).deleteMetricGrant({ userId }, { signal: shell.signal });
    const json = JSON.stringify({ deleted: who });
    const text = `Nothing is granted to ${who}.`;
    printLine(shell.stdout, options.output === "json" ? json : text);
    return EXIT.ok;
  });
};

const user = () => new Option("--user <id>", "who may read them");
const everybody = () => new Option("--everybody", "without a login, at /public/metrics");

export const registerGrant: Register = (parent, shell, act) => {
  const grant = parent
    .command("grant")
    .description("Lets users, or everybody, read some of the numbers. For admins.");
  addExamples(
    addClientOptions(
      grant
        .command("put")
        .description("Grants these numbers, in the place of what was granted before.")
        .addOption(user())
        .addOption(everybody())
        .requiredOption("--metrics <list>", METRIC_NAMES, parseMetrics)
        .option(
          "--types <list>",
          "only of these types; (script) for inline scripts",
          parseTypes,
          [],
        )
        .action(act(async (options: PutOptions) => await put(options, shell))),
    ),
    "millrace metrics grant put --user $USER_ID --metrics submitted,failed --types mail.send",
    "millrace metrics grant put --everybody --metrics current",
  );
  addExamples(
    addClientOptions(
      grant
        .command("list")
        .description("Lists who may read what, beside admins and those with job-read.")
        .action(act(async (options: ClientOptions) => await list(options, shell))),
    ),
    "millrace metrics grant list",
  );
  addExamples(
    addClientOptions(
      grant
        .command("delete")
        .description("Takes a grant back.")
        .addOption(user())
        .addOption(everybody())
        .action(act(async (options: WhoOptions) => await remove(options, shell))),
    ),
    "millrace metrics grant delete --everybody",
  );
};
