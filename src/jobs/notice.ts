/** What is told to others of a job, or of anything else: the messages of Standard Webhooks. */
import type { DeliveryRow } from "./delivery.ts";
import { isPurgeTime, type JobError, type JobRow, type JsonText, type Millis } from "./job.ts";
import { KIB } from "./limits.ts";

/** A larger result is left out of a notice: whoever needs it asks for it. */
export const NOTICE_RESULT_BYTES = 256 * KIB;

/** Where jobs are submitted instead of a request being sent; no URL has this origin. */
export const JOB_ORIGIN = "job";

/** Scheme, host and port of a URL that has been checked. */
export const originOfUrl = (url: string): string => new URL(url).origin;

type Json = Readonly<Record<string, unknown>>;

/** As JSON has a google.protobuf.Timestamp. */
const timestamp = (at: Millis): string => new Date(at).toISOString().replace(".000Z", "Z");

/** As JSON has a google.protobuf.Duration. */
const duration = (ms: number): string =>
  ms % 1_000 === 0 ? `${ms / 1_000}s` : `${(ms / 1_000).toFixed(3)}s`;

const isStandard = (value: unknown): boolean =>
  value === null ||
  value === "" ||
  value === 0 ||
  value === false ||
  value === "0" ||
  (typeof value === "object" && Object.keys(value).length === 0);

/** Without what has its standard value, as in all JSON of the API. */
const sparse = (facts: Json): Json =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => !isStandard(value)));

const errorOf = ({ code, message, stack, retryable }: JobError): Json =>
  sparse({ code, message, stack, retryable });

/** The message Job as JSON with the names of the contract, but for what only holds at one moment. */
const jobFacts = (row: JobRow): Json => ({
  ...sparse({
    id: row.id,
    organization_id: row.organizationId,
    state: `JOB_STATE_${row.state}`,
    name: row.name,
    type: row.type,
    type_version: row.typeVersion,
    priority: row.priority,
    labels: row.labels,
    creator_id: row.creatorId,
    run_as: row.runAs,
  }),
  progress: sparse({
    fraction: row.progress.fraction,
    message: row.progress.message,
    current_step: row.progress.currentStep,
    total_steps: row.progress.totalSteps,
  }),
  ...sparse({
    attempt: row.attempt,
    retry_count: row.retryCount,
    max_retries: row.retryPolicy.maxRetries,
    create_time: timestamp(row.createdAt),
    run_at: timestamp(row.runAt),
    start_time: row.startedAt === null ? null : timestamp(row.startedAt),
    end_time: row.endedAt === null ? null : timestamp(row.endedAt),
    update_time: timestamp(row.updatedAt),
    error: row.error === null ? null : errorOf(row.error),
    cancel_requested: row.cancelRequestedAt !== null,
    cancel_reason: row.cancelReason,
    output_count: String(row.outputCount),
    concurrency_key: row.concurrencyKey,
    workflow_id: row.workflowId,
    step_name: row.stepName,
    parent_id: row.parentId,
  }),
  cpu_time: duration(row.cpuMs),
  ...sparse({
    peak_memory_bytes: String(row.peakMemoryBytes),
    cancelled_by: row.cancelledBy,
    schedule_id: row.scheduleId,
    purge_time: isPurgeTime(row.purgeAt) ? timestamp(row.purgeAt) : null,
    blocked_by: row.blockedBy,
    child_count: row.childCount,
    hook_id: row.hookChain.at(-1) ?? "",
  }),
});

/** `job.succeeded`, `job.running` … */
export const jobEvent = ({ state }: Pick<JobRow, "state">): string => `job.${state.toLowerCase()}`;

/** `data` is an object; what `withResult` adds goes to its end. */
export const noticeBody = (event: string, at: Millis, data: Json): JsonText =>
  `{"type":${JSON.stringify(event)},"timestamp":"${timestamp(at)}","data":${JSON.stringify(data)}}`;

/** What is told of a job that came into its state at that moment. */
export const jobNotice = (row: JobRow, at: Millis): JsonText =>
  noticeBody(jobEvent(row), at, jobFacts(row));

/** The notice of a job that succeeded, with its result. Null: it is not there any more. */
export const withResult = (body: JsonText, result: JsonText | null): JsonText => {
  const fits = result !== null && new TextEncoder().encode(result).length <= NOTICE_RESULT_BYTES;
  const added = fits ? `"result":${result}` : `"result_omitted":true`;
  return `${body.slice(0, -2)},${added}}}`;
};

type Owed = Pick<
  DeliveryRow,
  "organizationId" | "id" | "event" | "jobId" | "attempt" | "hookId" | "url" | "origin"
> &
  Pick<DeliveryRow, "jobType" | "body">;

/** A notice that is owed from `now` on, and not tried yet. */
export const owedNotice = (owed: Owed, now: Millis): DeliveryRow => ({
  ...owed,
  state: "PENDING",
  submittedJobId: "",
  hookChain: [],
  scheduleTries: 0,
  tries: 0,
  createdAt: now,
  nextTryAt: now,
  endedAt: null,
  lastError: "",
  purgeAt: null,
});
