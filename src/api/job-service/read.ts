import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  GetJobRequest,
  GetJobResponseSchema,
  GetJobInputRequest,
  GetJobInputResponseSchema,
  GetJobResultRequest,
  GetJobResultResponseSchema,
  ListJobAttemptsRequest,
  ListJobAttemptsResponseSchema,
  ListJobOutputRequest,
  ListJobOutputResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { collectFaults } from "../convert/faults.ts";
import { numberWithin } from "../convert/fields.ts";
import { toAttempt, toJob, toOutput, toRunningAttempt } from "../convert/job.ts";
import { valueOf } from "../convert/json-value.ts";
import { pollAfterMs } from "../view.ts";
import { type Call, findJob } from "./api.ts";
import { readInput } from "./bound-input.ts";

export const getJob = async (
  call: Call,
  { jobId }: GetJobRequest,
): Promise<MessageInitShape<typeof GetJobResponseSchema>> => ({
  job: toJob(await findJob(call, jobId), call.api.clock.now()),
});

export const getJobInput = async (
  call: Call,
  { jobId }: GetJobInputRequest,
): Promise<MessageInitShape<typeof GetJobInputResponseSchema>> => {
  const job = await findJob(call, jobId);
  const text = await readInput(call.api, call.place, job);
  // Retention may have removed it between the two reads.
  if (text === null) throw jobNotFound(jobId);
  return { input: valueOf(text) };
};

/** The result of a job that has SUCCEEDED; it never changes. */
export const resultOf = async ({ api, place }: Call, { id, attempt }: JobRow) => {
  const text = await api.jobs.result(place, id, attempt);
  if (text === null) throw new Error(`the result of job ${id}, attempt ${attempt}, is not there`);
  return valueOf(text);
};

const notCompleted = (call: Call, job: JobRow): JobFault => {
  const poll = pollAfterMs(job, call.api.clock.now());
  return new JobFault(
    "JOB_NOT_COMPLETED",
    `Only a succeeded job has a result; it is ${job.state}.`,
    {
      metadata: { job_id: job.id, state: job.state },
      ...(poll === null ? {} : { retryAfterMs: poll }),
    },
  );
};

export const getJobResult = async (
  call: Call,
  { jobId }: GetJobResultRequest,
): Promise<MessageInitShape<typeof GetJobResultResponseSchema>> => {
  const job = await findJob(call, jobId);
  if (job.state !== "SUCCEEDED") throw notCompleted(call, job);
  return { result: await resultOf(call, job) };
};

export const listJobOutput = async (
  call: Call,
  request: ListJobOutputRequest,
): Promise<MessageInitShape<typeof ListJobOutputResponseSchema>> => {
  const faults = collectFaults();
  const { max, default: standard } = LIMITS.outputPage;
  const offset = numberWithin(faults, "offset", Number(request.offset), {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  });
  const limit = numberWithin(faults, "limit", request.limit, { min: 0, max });
  faults.throwIfAny();
  const job = await findJob(call, request.jobId);
  const rows = await call.api.jobs.output(
    call.place,
    job.id,
    offset,
    limit === 0 ? standard : limit,
  );
  // Rows may have come between the two reads.
  const total = Math.max(job.outputCount, (rows.at(-1)?.seq ?? -1) + 1);
  return { rows: rows.map(toOutput), total: BigInt(total) };
};

export const listJobAttempts = async (
  call: Call,
  { jobId }: ListJobAttemptsRequest,
): Promise<MessageInitShape<typeof ListJobAttemptsResponseSchema>> => {
  const job = await findJob(call, jobId);
  const ended = await call.api.jobs.attempts(call.place, job.id);
  const running = toRunningAttempt(job);
  // It may have ended between the two reads: then its row is there.
  const alsoRunning = running !== null && !ended.some(({ attempt }) => attempt === job.attempt);
  return { attempts: [...ended.map(toAttempt), ...(alsoRunning ? [running] : [])] };
};
