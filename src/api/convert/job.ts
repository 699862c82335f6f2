import { create } from "@bufbuild/protobuf";
import { durationFromMs, type Timestamp } from "@bufbuild/protobuf/wkt";

import {
  AttemptOutcome,
  CallbackState,
  type Job,
  type JobAttempt,
  JobAttemptSchema,
  type JobError,
  type JobOutput,
  JobOutputSchema,
  JobState,
  OutputStream,
} from "../../gen/millrace/v1/job_pb.ts";
import {
  type AttemptRow,
  type JobError as ErrorRow,
  type JobRow,
  type Millis,
  isPurgeTime,
  type OutputRow,
} from "../../jobs/job.ts";
import { canCancel, whyNotRetryable } from "../../jobs/permissions.ts";
import { pollAfterMs } from "../view.ts";

const CALLBACK_STATES: Readonly<Record<JobRow["callbackState"], CallbackState>> = {
  NONE: CallbackState.UNSPECIFIED,
  PENDING: CallbackState.PENDING,
  DELIVERED: CallbackState.DELIVERED,
  FAILED: CallbackState.FAILED,
};

export const timestamp = (at: Millis): Timestamp => ({
  $typeName: "google.protobuf.Timestamp",
  seconds: BigInt(Math.floor(at / 1_000)),
  nanos: (at - Math.floor(at / 1_000) * 1_000) * 1_000_000,
});

const toError = (error: ErrorRow): JobError => ({ $typeName: "millrace.v1.JobError", ...error });

/**
 * A job as its watchers see it at `now`. A literal, for it is made for every job of every batch:
 * `create` of the library, which looks at each field, takes three times as long.
 */
export const toJob = (row: JobRow, now: Millis): Job => {
  const pollAfter = pollAfterMs(row, now);
  return {
    $typeName: "millrace.v1.Job",
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
    progress: { $typeName: "millrace.v1.Progress", ...row.progress },
    attempt: row.attempt,
    retryCount: row.retryCount,
    maxRetries: row.retryPolicy.maxRetries,
    createTime: timestamp(row.createdAt),
    runAt: timestamp(row.runAt),
    ...(row.startedAt === null ? {} : { startTime: timestamp(row.startedAt) }),
    ...(row.endedAt === null ? {} : { endTime: timestamp(row.endedAt) }),
    updateTime: timestamp(row.updatedAt),
    ...(row.error === null ? {} : { error: toError(row.error) }),
    cancelRequested: row.cancelRequestedAt !== null,
    cancelReason: row.cancelReason,
    canCancel: canCancel(row),
    canRetry: whyNotRetryable(row, now) === null,
    ...(pollAfter === null ? {} : { pollAfter: durationFromMs(pollAfter) }),
    outputCount: BigInt(row.outputCount),
    concurrencyKey: row.concurrencyKey,
    callbackState: CALLBACK_STATES[row.callbackState],
    workflowId: row.workflowId,
    stepName: row.stepName,
    parentId: row.parentId,
    cpuTime: durationFromMs(row.cpuMs),
    peakMemoryBytes: BigInt(row.peakMemoryBytes),
    cancelledBy: row.cancelledBy,
    scheduleId: row.scheduleId,
    blockedBy: row.blockedBy,
    childCount: row.childCount,
    hookId: row.hookChain.at(-1) ?? "",
    ...(isPurgeTime(row.purgeAt) ? { purgeTime: timestamp(row.purgeAt) } : {}),
  };
};

export const toAttempt = (row: AttemptRow): JobAttempt =>
  create(JobAttemptSchema, {
    attempt: row.attempt,
    runnerId: row.runnerId,
    outcome: AttemptOutcome[row.outcome],
    startTime: timestamp(row.startedAt),
    endTime: timestamp(row.endedAt),
    ...(row.error === null ? {} : { error: toError(row.error) }),
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
        startTime: timestamp(row.startedAt),
      });

export const toOutput = (row: OutputRow): JobOutput =>
  create(JobOutputSchema, {
    seq: BigInt(row.seq),
    attempt: row.attempt,
    stream: OutputStream[row.stream],
    text: row.text,
    writeTime: timestamp(row.writtenAt),
  });
