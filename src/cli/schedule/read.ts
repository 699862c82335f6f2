import { ListSchedulesResponseSchema } from "../../gen/millrace/v1/schedule_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";
import type { Shell } from "../shell.ts";
import { printSchedule, requireSchedule, withSchedules } from "./answer.ts";
import { lastText, nextText, scheduleText, stateText } from "./describe.ts";

type ListOptions = ClientOptions & PageOptions;

const HEADING = ["SCHEDULE", "CRON", "STATE", "NEXT", "LAST"];

const list = async (options: ListOptions, shell: Shell) =>
  await withSchedules(options, shell, async (schedules) => {
    const answer = await schedules.listSchedules(pageOf(options), {
      signal: shell.signal,
    });
    const rows = answer.schedules.map((schedule) => [
      schedule.id,
      schedule.spec?.cron ?? "",
      stateText(schedule),
      nextText(schedule),
      lastText(schedule),
    ]);
    printPage(shell, options, {
      schema: ListSchedulesResponseSchema,
      answer,
      heading: HEADING,
      rows,
    });
    return EXIT.ok;
  });

export const registerList: Register = (parent, shell, act) => {
  const command = addPageOptions(
    parent.command("list").description("Lists schedules by id."),
  ).action(act(async (options: ListOptions) => await list(options, shell)));
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
