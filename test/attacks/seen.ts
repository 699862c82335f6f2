import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { durationMs, timestampMs, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";

import { type Job, JobState, OutputStream } from "../../src/gen/millrace/v1/job_pb.ts";
import type { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import type { Seen } from "./attack.ts";

type Jobs = Client<typeof JobService>;

/** The name of a value of one of the contract's enums. */
export const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? String(value);

export const jsonValue = (json: unknown): Value => fromJson(ValueSchema, json as JsonValue);

/** Everything that a job shows, read over the API once it has ended. */
export const look = async (jobs: Jobs, job: Job): Promise<Seen> => {
  const { rows, total } = await jobs.listJobOutput({ jobId: job.id, limit: 1_000 });
  let result: unknown;
  if (job.state === JobState.SUCCEEDED) {
    const answer = await jobs.getJobResult({ jobId: job.id });
    result = answer.result === undefined ? null : toJson(ValueSchema, answer.result);
  }
  const { error, progress, startTime, endTime } = job;
  return {
    result,
    code: error?.code ?? "",
    message: error?.message ?? "",
    stack: error?.stack ?? "",
    output: rows.map(({ stream, text }) => `${nameOf(OutputStream, stream)} ${text}`),
    outputTotal: Number(total),
    fraction: progress?.fraction ?? 0,
    progressMessage: progress?.message ?? "",
    cpuMs: job.cpuTime === undefined ? 0 : durationMs(job.cpuTime),
    ranMs:
      startTime === undefined || endTime === undefined
        ? 0
        : timestampMs(endTime) - timestampMs(startTime),
  };
};
