import { BATCH, BYTES, SECONDS } from "../buckets.ts";
import { NOTICE_TABLE } from "./notices.ts";
import { METHODS, type Table } from "./spec.ts";
import { WORK } from "./work.ts";

/** gRPC's, for every protocol. */
export const STATUS_CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

export const OUTCOMES = ["succeeded", "failed", "cancelled", "lost"] as const;
const ENDINGS = ["succeeded", "failed", "cancelled"] as const;
/** Who asked for a job. */
export const ORIGINS = ["caller", "workflow", "parent"] as const;

/** What a server measures. */
export const SERVER_TABLE = {
  callDuration: {
    name: "rpc.server.call.duration",
    kind: "histogram",
    unit: "s",
    tells:
      "Time to answer a call. Long polls are in it (`WaitJob`, `RunJob`); of streams, those that were refused.",
    buckets: SECONDS.call,
    attributes: {
      "rpc.system.name": ["grpc", "connectrpc"],
      "rpc.method": METHODS,
      "rpc.response.status_code": STATUS_CODES,
      "error.type": ["", ...STATUS_CODES],
    },
  },
  watches: {
    name: "millrace.watch.streams",
    kind: "up-down counter",
    unit: "{stream}",
    tells: "Streams that are open; each runner has one `Sync`, and up to two `UpdateJobs`.",
    attributes: { "rpc.method": METHODS },
  },
  submitted: {
    name: "millrace.jobs.submitted",
    kind: "counter",
    unit: "{job}",
    tells:
      "Jobs that are new: asked for by a caller, as a step of a workflow, or by a running job.",
    attributes: { "millrace.job.origin": ORIGINS },
  },
  ended: {
    name: "millrace.jobs.ended",
    kind: "counter",
    unit: "{job}",
    tells: "Jobs that have ended, after all of their attempts.",
    attributes: { "millrace.job.state": ENDINGS },
  },
  active: {
    name: "millrace.jobs.active",
    kind: "gauge",
    unit: "{job}",
    tells: "Jobs that have not ended. `waiting`: held, blocked, scheduled and retrying.",
    attributes: { "millrace.job.state": ["queued", "running", "waiting"] },
  },
  queueAge: {
    name: "millrace.queue.oldest.age",
    kind: "gauge",
    unit: "s",
    tells: "How long the oldest queued job has waited; 0 when none waits.",
    attributes: {},
  },
  queued: {
    name: "millrace.job.queue.duration",
    kind: "histogram",
    unit: "s",
    tells: "Time from queued to started.",
    buckets: SECONDS.queue,
    attributes: { "millrace.work": WORK },
  },
  attempts: {
    name: "millrace.attempts",
    kind: "counter",
    unit: "{attempt}",
    tells: "Attempts that ended. `lost`: their runner went away.",
    attributes: { "millrace.work": WORK, "millrace.attempt.outcome": OUTCOMES },
  },
  attemptDuration: {
    name: "millrace.attempt.duration",
    kind: "histogram",
    unit: "s",
    tells: "Time from the start of an attempt to its end.",
    buckets: SECONDS.attempt,
    attributes: { "millrace.work": WORK, "millrace.attempt.outcome": OUTCOMES },
  },
  sandboxCpu: {
    name: "millrace.sandbox.cpu",
    kind: "histogram",
    unit: "s",
    tells: "CPU time of an attempt of a script.",
    buckets: SECONDS.cpu,
    attributes: {},
  },
  sandboxMemory: {
    name: "millrace.sandbox.memory",
    kind: "histogram",
    unit: "By",
    tells: "Peak memory of an attempt of a script.",
    buckets: BYTES,
    attributes: {},
  },
  batchSize: {
    name: "millrace.commit.batch.size",
    kind: "histogram",
    unit: "{command}",
    tells: "Commands written by one commit.",
    buckets: BATCH,
    attributes: {},
  },
  commitDuration: {
    name: "millrace.commit.duration",
    kind: "histogram",
    unit: "s",
    tells: "Time of one commit.",
    buckets: SECONDS.commit,
    attributes: {},
  },
  commitFailures: {
    name: "millrace.commit.failures",
    kind: "counter",
    unit: "{commit}",
    tells: "Commits that failed; the shard is read again after each.",
    attributes: {},
  },
  shardsOwned: {
    name: "millrace.shards.owned",
    kind: "gauge",
    unit: "{shard}",
    tells: "Shards that this server serves.",
    attributes: {},
  },
  shards: {
    name: "millrace.shards.known",
    kind: "gauge",
    unit: "{shard}",
    tells: "Shards of the database. The owned ones of all servers together are as many.",
    attributes: {},
  },
  workflowsSubmitted: {
    name: "millrace.workflows.submitted",
    kind: "counter",
    unit: "{workflow}",
    tells: "Workflows that are new.",
    attributes: {},
  },
  workflowsEnded: {
    name: "millrace.workflows.ended",
    kind: "counter",
    unit: "{workflow}",
    tells: "Workflows whose last step has ended. One that is retried ends again.",
    attributes: { "millrace.workflow.state": ENDINGS },
  },
  points: {
    name: "millrace.metric.points.written",
    kind: "counter",
    unit: "{point}",
    tells:
      "Points of queryable metrics that were written. The point of a minute is written anew by each commit that counts into it.",
    attributes: { "millrace.metric.resolution": ["minute", "hour", "day"] },
  },
  ...NOTICE_TABLE,
} as const satisfies Table;
