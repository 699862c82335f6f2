import type { Client } from "@connectrpc/connect";

import {
  type Schedule,
  ScheduleSchema,
  ScheduleService,
} from "../../gen/millrace/v1/schedule_service_pb.ts";
import { withConnection } from "../connection.ts";
import { jsonLine } from "../json.ts";
import type { ClientOptions } from "../options.ts";
import { requireAnswer } from "../require-answer.ts";
import { printLine, type Shell } from "../shell.ts";

export type Schedules = Client<typeof ScheduleService>;

/** Runs `work` with the schedules of the server. @throws CliFailure for every error of a call */
export const withSchedules = async <T>(
  options: ClientOptions,
  shell: Shell,
  work: (schedules: Schedules) => Promise<T>,
): Promise<T> =>
  await withConnection(
    options,
    shell,
    async ({ clientOf }) => await work(clientOf(ScheduleService)),
  );

/** The schedule of an answer that always carries one. */
export const requireSchedule = (answer: { readonly schedule?: Schedule | undefined }): Schedule =>
  requireAnswer(answer.schedule, "schedule");

/** In JSON the schedule itself, else `text`. */
export const printSchedule = (
  schedule: Schedule,
  text: string,
  { output }: ClientOptions,
  shell: Shell,
): void => {
  printLine(shell.stdout, output === "json" ? jsonLine(ScheduleSchema, schedule) : text);
};
