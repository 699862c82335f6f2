import { create } from "@bufbuild/protobuf";

import {
  type Schedule,
  type ScheduleSpec,
  ScheduleSpecSchema,
} from "../../gen/millrace/v1/schedule_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { addSpecOptions, readSpec, type SpecArguments } from "../job/spec-options.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import type { Shell } from "../shell.ts";
import { printSchedule, requireSchedule, withSchedules } from "./answer.ts";
import { scheduleText } from "./describe.ts";
import { addTimingOptions, type TimingOptions } from "./timing.ts";

type Options = ClientOptions & SpecArguments & TimingOptions;

const TIMING: ReadonlySet<string> = new Set(["cron", "timeZone", "catchUp"]);
const NOT_THE_JOB: ReadonlySet<string> = new Set([...TIMING, "output", "url", "token", "dataDir"]);

/** The job is replaced as a whole: half of an old one under a new script would surprise. */
const changed = async (
  { spec }: Schedule,
  options: Options,
  shell: Shell,
): Promise<ScheduleSpec> => {
  const { cron, timeZone, catchUp } = options;
  const given = Object.keys(options);
  if (!given.some((name) => TIMING.has(name) || !NOT_THE_JOB.has(name))) {
    throw usageFailure("What shall change? Give --cron, --time-zone, --catch-up or a job.");
  }
  const newJob = given.some((name) => !NOT_THE_JOB.has(name));
  return {
    ...(spec ?? create(ScheduleSpecSchema)),
    ...(cron === undefined ? null : { cron }),
    ...(timeZone === undefined ? null : { timeZone }),
    ...(catchUp === undefined ? null : { catchUp }),
    ...(newJob ? { job: await readSpec(options, shell) } : null),
  };
};

const update = async (scheduleId: string, options: Options, shell: Shell) =>
  await withSchedules(options, shell, async (schedules) => {
    const { signal } = shell;
    const now = requireSchedule(await schedules.getSchedule({ scheduleId }, { signal }));
    const spec = await changed(now, options, shell);
    const request = { scheduleId, spec, version: now.version };
    const schedule = requireSchedule(await schedules.updateSchedule(request, { signal }));
    printSchedule(schedule, scheduleText(schedule), options, shell);
    return EXIT.ok;
  });

export const registerUpdate: Register = (parent, shell, act) => {
  const command = addSpecOptions(
    addTimingOptions(
      parent
        .command("update")
        .description("Changes when a schedule fires, or replaces the job that it submits.")
        .argument("<id>", "the id of the schedule"),
    ),
  ).action(
    act(async (scheduleId: string, options: Options) => await update(scheduleId, options, shell)),
  );
  addExamples(
    addClientOptions(command),
    'millrace schedule update nightly --cron "0 4 * * *"',
    "millrace schedule update nightly --script report.ts --max-retries 5",
  );
};
