import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";

import {
  AttemptOutcome,
  AttemptOutcomeSchema,
  type JobAttempt,
} from "../../gen/millrace/v1/job_pb.ts";
import { ListJobAttemptsResponseSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { tableText } from "../table.ts";
import { durationText, errorText } from "./describe.ts";

const HEADING = ["ATTEMPT", "OUTCOME", "STARTED", "TOOK", "CPU", "MEMORY", "ERROR"];

const row = (attempt: JobAttempt): readonly string[] => {
  const { startTime, endTime } = attempt;
  const took =
    startTime === undefined || endTime === undefined
      ? ""
      : durationText(timestampMs(endTime) - timestampMs(startTime));
  return [
    String(attempt.attempt),
    attempt.outcome === AttemptOutcome.UNSPECIFIED
      ? "RUNNING"
      : (AttemptOutcomeSchema.value[attempt.outcome]?.localName ?? ""),
    startTime === undefined ? "" : new Date(timestampMs(startTime)).toISOString(),
    took,
    attempt.cpuTime === undefined ? "" : durationText(durationMs(attempt.cpuTime)),
    attempt.peakMemoryBytes === 0n
      ? ""
      : `${(Number(attempt.peakMemoryBytes) / 1e6).toFixed(0)} MB`,
    attempt.error === undefined ? "" : errorText(attempt.error),
  ];
};

export const registerAttempts: Register = (parent, shell, act) => {
  const command = parent
    .command("attempts")
    .description("Lists every attempt of a job, first to last.")
    .argument("<job>", "the id of the job")
    .action(
      act(
        async (jobId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const answer = await jobs.listJobAttempts({ jobId }, { signal: shell.signal });
            printLine(
              shell.stdout,
              options.output === "json"
                ? jsonLine(ListJobAttemptsResponseSchema, answer)
                : tableText(HEADING, answer.attempts.map(row)),
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace job attempts $JOB");
};
