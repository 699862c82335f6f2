import { durationMs } from "@bufbuild/protobuf/wkt";

import { JobState } from "../../gen/millrace/v1/job_pb.ts";
import {
  type CurrentMetrics,
  GetCurrentMetricsResponseSchema,
  MetricsService,
} from "../../gen/millrace/v1/metrics_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { durationText } from "../job/describe.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { printableLine } from "../view/printable.ts";
import { parseTypes, typeName } from "./names.ts";

type Options = ClientOptions & { readonly types: readonly string[]; readonly byType?: boolean };

const STATES = ["QUEUED", "RUNNING", "RETRYING", "SCHEDULED", "BLOCKED", "HELD"] as const;
const HEADING = ["TYPE", ...STATES, "OLDEST"];

const rowOf =
  (shell: Shell) =>
  ({ type, counts, queueAge }: CurrentMetrics): readonly string[] => [
    type === undefined ? "all" : printableLine(typeName(type), shell.stdout.isTTY),
    ...STATES.map(
      (state) => `${counts.find((count) => count.state === JobState[state])?.count ?? 0n}`,
    ),
    queueAge === undefined ? "" : durationText(durationMs(queueAge)),
  ];

const now = async (options: Options, shell: Shell) =>
  await withConnection(options, shell, async ({ clientOf }) => {
    const answer = await clientOf(MetricsService).getCurrentMetrics(
      { types: [...options.types], byType: options.byType === true },
      { signal: shell.signal },
    );
    printLine(
      shell.stdout,
      options.output === "json"
        ? jsonLine(GetCurrentMetricsResponseSchema, answer)
        : tableText(HEADING, answer.metrics.map(rowOf(shell))),
    );
    return EXIT.ok;
  });

export const registerNow: Register = (parent, shell, act) => {
  const command = parent
    .command("now")
    .description(
      "Shows how many jobs are in which state, and how long the oldest queued one waits.",
    )
    .option("--types <list>", "only of these types; (script) for inline scripts", parseTypes, [])
    .option("--by-type", "each type by itself")
    .action(act(async (options: Options) => await now(options, shell)));
  addExamples(addClientOptions(command), "millrace metrics now", "millrace metrics now --by-type");
};
