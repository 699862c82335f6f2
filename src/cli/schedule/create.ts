import { EXIT } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { addSpecOptions, readSpec, type SpecArguments } from "../job/spec-options.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import type { Shell } from "../shell.ts";
import { printSchedule, requireSchedule, withSchedules } from "./answer.ts";
import { scheduleText } from "./describe.ts";
import { addTimingOptions, type TimingOptions } from "./timing.ts";

type Options = ClientOptions &
  SpecArguments &
  TimingOptions & { readonly paused?: boolean; readonly validateOnly?: boolean };

const create = async (id: string | undefined, options: Options, shell: Shell) => {
  const { cron, timeZone = "", catchUp = 0 } = options;
  if (cron === undefined) throw usageFailure("When? Give --cron.");
  const spec = { cron, timeZone, catchUp, job: await readSpec(options, shell) };
  const { paused = false, validateOnly = false } = options;
  return await withSchedules(options, shell, async (schedules) => {
    const request = { scheduleId: id ?? "", spec, paused, validateOnly };
    const answer = await schedules.createSchedule(request, { signal: shell.signal });
    const schedule = requireSchedule(answer);
    const text = validateOnly
      ? `The schedule is valid. Nothing was created.\n${scheduleText(schedule)}`
      : scheduleText(schedule);
    printSchedule(schedule, text, options, shell);
    return EXIT.ok;
  });
};

export const registerCreate: Register = (parent, shell, act) => {
  const command = addSpecOptions(
    addTimingOptions(
      parent
        .command("create")
        .description("Makes a schedule and shows its next times.")
        .argument("[id]", "1 to 100 of A-Z a-z 0-9 . _ - (the server makes one, if absent)"),
    ),
  )
    .option("--paused", "it fires when it is resumed, not before")
    .option("--validate-only", "check everything, create nothing, show the next times")
    .action(
      act(async (id: string | undefined, options: Options) => await create(id, options, shell)),
    );
  addExamples(
    addClientOptions(command),
    'millrace schedule create nightly --cron "30 2 * * *" --time-zone Europe/Berlin --script report.ts',
    'millrace schedule create probe --cron "*/30 * * * * *" --catch-up skip --type probe',
  );
};
