import { ListSchedulesResponseSchema } from "../../gen/millrace/v1/schedule_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { parseInteger } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { printableLine } from "../view/printable.ts";
import { printSchedule, requireSchedule, withSchedules } from "./answer.ts";
import { lastText, nextText, scheduleText, stateText } from "./describe.ts";

type ListOptions = ClientOptions & { readonly limit: number; readonly pageToken?: string };

const HEADING = ["SCHEDULE", "CRON", "STATE", "NEXT", "LAST"];

const list = async (options: ListOptions, shell: Shell) =>
  await withSchedules(options, shell, async (schedules) => {
    const answer = await schedules.listSchedules(
      { pageSize: options.limit, pageToken: options.pageToken ?? "" },
      { signal: shell.signal },
    );
    if (options.output === "json") {
      printLine(shell.stdout, jsonLine(ListSchedulesResponseSchema, answer));
      return EXIT.ok;
    }
    const rows = answer.schedules.map((schedule) =>
      [
        schedule.id,
        schedule.spec?.cron ?? "",
        stateText(schedule),
        nextText(schedule),
        lastText(schedule),
      ].map((cell) => printableLine(cell, shell.stdout.isTTY)),
    );
    printLine(shell.stdout, tableText(HEADING, rows));
    if (answer.nextPageToken !== "") {
      printLine(shell.stderr, `More follow: --page-token ${answer.nextPageToken}`);
    }
    return EXIT.ok;
  });

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists schedules by id.")
    .option("--limit <n>", "at most so many", parseInteger, 50)
    .option("--page-token <token>", "the page that follows")
    .action(act(async (options: ListOptions) => await list(options, shell)));
  addExamples(addClientOptions(command), "millrace schedule list");
};

export const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows a schedule, its next times and what its last one came to.")
    .argument("<id>", "the id of the schedule")
    .action(
      act(
        async (scheduleId: string, options: ClientOptions) =>
          await withSchedules(options, shell, async (schedules) => {
            const answer = await schedules.getSchedule({ scheduleId }, { signal: shell.signal });
            const schedule = requireSchedule(answer);
            printSchedule(schedule, scheduleText(schedule), options, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace schedule get nightly");
};
