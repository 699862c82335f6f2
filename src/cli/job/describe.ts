import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";

import {
  CallbackState,
  CallbackStateSchema,
  type Job,
  type JobError,
  JobState,
  JobStateSchema,
} from "../../gen/millrace/v1/job_pb.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type Facts, factsText } from "../facts.ts";

/* How jobs read on a terminal. Pure: from messages to texts. */

export const stateName = (state: JobState): string =>
  JobStateSchema.value[state]?.localName ?? `STATE_${state}`;

export const hasEnded = (state: JobState): boolean =>
  state === JobState.SUCCEEDED || state === JobState.FAILED || state === JobState.CANCELLED;

/** The exit code of a command that waited for the end of this job. */
export const exitCodeOf = (state: JobState): ExitCode => {
  if (state === JobState.FAILED) return EXIT.jobFailed;
  if (state === JobState.CANCELLED) return EXIT.jobCancelled;
  return EXIT.ok;
};

/** `340 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`. */
export const durationText = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** `step 2/6 query`, `42 %`; empty when nothing was reported. */
export const progressText = (job: Job): string => {
  const progress = job.progress;
  if (progress === undefined) return "";
  const step = progress.totalSteps > 0 ? `step ${progress.currentStep}/${progress.totalSteps}` : "";
  return [`${Math.round(progress.fraction * 100)} %`, step, progress.message]
    .filter((part) => part !== "")
    .join("  ");
};

export const errorText = (error: JobError): string => `${error.code}: ${error.message}`;

export const titleOf = (job: Job): string => job.name || job.type || "inline script";

const time = (at: Parameters<typeof timestampMs>[0] | undefined): string =>
  at === undefined ? "" : new Date(timestampMs(at)).toISOString();

/** How long the newest attempt ran; null while there is no end. */
export const runMs = (job: Job): number | null =>
  job.startTime === undefined || job.endTime === undefined
    ? null
    : timestampMs(job.endTime) - timestampMs(job.startTime);

/** One sentence that tells how a job ended, or where it stands. */
export const outcomeText = (job: Job): string => {
  const took = runMs(job);
  const after = took === null ? "" : ` after ${durationText(took)}`;
  switch (job.state) {
    case JobState.SUCCEEDED:
      return `Job ${job.id} succeeded${after}.`;
    case JobState.FAILED:
      return `Job ${job.id} failed${after}${job.error === undefined ? "." : `: ${errorText(job.error)}`}`;
    case JobState.CANCELLED:
      return `Job ${job.id} was cancelled${job.cancelReason === "" ? "." : `: ${job.cancelReason}`}`;
    default:
      return `Job ${job.id} is ${stateName(job.state)}.`;
  }
};

const megabytes = (bytes: bigint): string => `${(Number(bytes) / 1e6).toFixed(0)} MB`;

/** Worth telling where it is not who submitted it, and where his release is awaited. */
const actsFor = ({ runAs, creatorId, state }: Job): string =>
  runAs !== creatorId || state === JobState.HELD ? runAs : "";

const callbackText = ({ callbackState }: Job): string =>
  callbackState === CallbackState.UNSPECIFIED
    ? ""
    : (CallbackStateSchema.value[callbackState]?.localName ?? `STATE_${callbackState}`);

/** Everything about a job that is set, one fact a line. */
export const jobText = (job: Job): string => {
  const facts: Facts = [
    ["job", job.id],
    ["state", stateName(job.state) + (job.cancelRequested ? " (cancellation requested)" : "")],
    ["name", job.name],
    ["type", job.type],
    ["progress", progressText(job)],
    ["attempt", job.attempt === 0 ? "" : String(job.attempt)],
    ["retries", `${job.retryCount} of ${job.maxRetries}`],
    ["priority", job.priority === 0 ? "" : String(job.priority)],
    [
      "labels",
      Object.entries(job.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(" "),
    ],
    ["key", job.concurrencyKey],
    ["acts for", actsFor(job)],
    ["created", time(job.createTime)],
    ["run at", time(job.runAt)],
    ["started", time(job.startTime)],
    ["ended", time(job.endTime)],
    ["cpu", job.cpuTime === undefined ? "" : durationText(durationMs(job.cpuTime))],
    ["memory", job.peakMemoryBytes === 0n ? "" : megabytes(job.peakMemoryBytes)],
    ["output", job.outputCount === 0n ? "" : `${job.outputCount} rows`],
    ["error", job.error === undefined ? "" : errorText(job.error)],
    ["stack", job.error?.stack ?? ""],
    ["reason", job.cancelReason],
    ["callback", callbackText(job)],
  ];
  return factsText(facts);
};
