import { JobSchema } from "../../gen/millrace/v1/job_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { requireJob } from "../job/require-job.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { printSchedule, requireSchedule, withSchedules } from "./answer.ts";
import { nextText } from "./describe.ts";

const ID = ["<id>", "the id of the schedule"] as const;

export const registerPause: Register = (parent, shell, act) => {
  type Options = ClientOptions & { readonly reason?: string };
  const command = parent
    .command("pause")
    .description("Lets a schedule fire no more until it is resumed.")
    .argument(...ID)
    .option("--reason <text>", "shown with the schedule")
    .action(
      act(
        async (scheduleId: string, options: Options) =>
          await withSchedules(options, shell, async (schedules) => {
            const request = { scheduleId, reason: options.reason ?? "" };
            const answer = await schedules.pauseSchedule(request, { signal: shell.signal });
            const text = `Schedule ${scheduleId} is paused.`;
            printSchedule(requireSchedule(answer), text, options, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), 'millrace schedule pause nightly --reason "stocktaking"');
};

export const registerResume: Register = (parent, shell, act) => {
  const command = parent
    .command("resume")
    .description("Lets a paused schedule go on with its next time. Nothing is caught up.")
    .argument(...ID)
    .action(
      act(
        async (scheduleId: string, options: ClientOptions) =>
          await withSchedules(options, shell, async (schedules) => {
            const answer = await schedules.resumeSchedule({ scheduleId }, { signal: shell.signal });
            const schedule = requireSchedule(answer);
            const text = `Schedule ${scheduleId} fires next at ${nextText(schedule)}.`;
            printSchedule(schedule, text, options, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace schedule resume nightly");
};

export const registerTrigger: Register = (parent, shell, act) => {
  const command = parent
    .command("trigger")
    .description("Submits one job now, beside the schedule's own times, and prints its id.")
    .argument(...ID)
    .action(
      act(
        async (scheduleId: string, options: ClientOptions) =>
          await withSchedules(options, shell, async (schedules) => {
            const job = requireJob(
              await schedules.triggerSchedule({ scheduleId }, { signal: shell.signal }),
            );
            printLine(shell.stdout, options.output === "json" ? jsonLine(JobSchema, job) : job.id);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace job watch $(millrace schedule trigger nightly)");
};

export const registerDelete: Register = (parent, shell, act) => {
  const command = parent
    .command("delete")
    .description("Removes a schedule. Its jobs stay.")
    .argument(...ID)
    .action(
      act(
        async (scheduleId: string, options: ClientOptions) =>
          await withSchedules(options, shell, async (schedules) => {
            await schedules.deleteSchedule({ scheduleId }, { signal: shell.signal });
            const json = JSON.stringify({ deleted: scheduleId });
            const text = `Schedule ${scheduleId} is deleted.`;
            printLine(shell.stdout, options.output === "json" ? json : text);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace schedule delete nightly");
};
