import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";

import {
  AttemptOutcome,
  type Job,
  type JobAttempt,
  JobAttemptSchema,
  type JobErrorSchema,
  type JobOutput,
  JobOutputSchema,
  JobSchema,
  JobState,
  OutputStream,
} from "../../gen/millrace/v1/job_pb.ts";
import type { AttemptRow, JobError, JobRow, Millis, OutputRow } from "../../jobs/job.ts";
import { canCancel, whyNotRetryable } from "../../jobs/permissions.ts";
import { pollAfterMs } from "../view.ts";

const timestamp = (at: Millis | null): { readonly value?: Timestamp } =>
  at === null ? {} : { value: timestampFromMs(at) };

const errorInit = (error: JobError): MessageInitShape<typeof JobErrorSchema> => ({ ...error });

/** A job as its watchers see it at `now`. */
export const toJob = (row: JobRow, now: Millis): Job => {
  const { value: startTime } = timestamp(row.startedAt);
  const { value: endTime } = timestamp(row.endedAt);
  const pollAfter = pollAfterMs(row, now);
  return create(JobSchema, {
    id: row.id,
    organizationId: row.organizationId,
    state: JobState[row.state],
    name: row.name,
    type: row.type,
    typeVersion: row.typeVersion,
    priority: row.priority,
    labels: { ...row.labels },
    creatorId: row.creatorId,
    runAs: row.runAs,
    progress: { ...row.progress },
    attempt: row.attempt,
    retryCount: row.retryCount,
    maxRetries: row.retryPolicy.maxRetries,
    createTime: timestampFromMs(row.createdAt),
    runAt: timestampFromMs(row.runAt),
    ...(startTime === undefined ? {} : { startTime }),
    ...(endTime === undefined ? {} : { endTime }),
    updateTime: timestampFromMs(row.updatedAt),
    ...(row.error === null ? {} : { error: errorInit(row.error) }),
    cancelRequested: row.cancelRequestedAt !== null,
    cancelReason: row.cancelReason,
    canCancel: canCancel(row),
    canRetry: whyNotRetryable(row, now) === null,
    ...(pollAfter === null ? {} : { pollAfter: durationFromMs(pollAfter) }),
    outputCount: BigInt(row.outputCount),
    concurrencyKey: row.concurrencyKey,
    workflowId: row.workflowId,
    stepName: row.stepName,
    parentId: row.parentId,
    cpuTime: durationFromMs(row.cpuMs),
    peakMemoryBytes: BigInt(row.peakMemoryBytes),
  });
};

export const toAttempt = (row: AttemptRow): JobAttempt =>
  create(JobAttemptSchema, {
    attempt: row.attempt,
    runnerId: row.runnerId,
    outcome: AttemptOutcome[row.outcome],
    startTime: timestampFromMs(row.startedAt),
    endTime: timestampFromMs(row.endedAt),
    ...(row.error === null ? {} : { error: errorInit(row.error) }),
    cpuTime: durationFromMs(row.cpuMs),
    peakMemoryBytes: BigInt(row.peakMemoryBytes),
  });

/** The attempt that runs now: its row is written when it ends. Null if none does. */
export const toRunningAttempt = (row: JobRow): JobAttempt | null =>
  row.state !== "RUNNING" || row.startedAt === null
    ? null
    : create(JobAttemptSchema, {
        attempt: row.attempt,
        runnerId: row.runnerId,
        startTime: timestampFromMs(row.startedAt),
      });

export const toOutput = (row: OutputRow): JobOutput =>
  create(JobOutputSchema, {
    seq: BigInt(row.seq),
    attempt: row.attempt,
    stream: OutputStream[row.stream],
    text: row.text,
    writeTime: timestampFromMs(row.writtenAt),
  });
