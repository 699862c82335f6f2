import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";

import {
  type Ending as EndingMessage,
  CancelledSchema,
  EndingSchema,
  type JobUpdate,
  JobUpdateSchema,
  OutputLineSchema,
} from "../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import {
  type Assignment as AssignmentMessage,
  type AttemptRef as AttemptRefMessage,
  AttemptRefSchema,
  StepResultSchema,
} from "../src/gen/millrace/internal/v1/runner_service_pb.ts";
import {
  JobErrorSchema,
  OutputStream as OutputStreamMessage,
  ProgressSchema,
} from "../src/gen/millrace/v1/job_pb.ts";
import type { Assignment, AttemptRef, Ending, OutputStream } from "./executor.ts";
import type { Update } from "./outbox.ts";
import { cutUtf8 } from "./utf8.ts";

/** Between the contract's messages and the runner's own types. Nothing else knows both. */
const DEFAULT_ATTEMPT_TIMEOUT_MS = 30_000;
const MOST_ERROR_BYTES = 8 * 1024;

const millisOf = (duration: Duration | undefined, absent: number): number =>
  duration === undefined ? absent : Number(duration.seconds) * 1_000 + duration.nanos / 1e6;

const durationOf = (ms: number): Duration => {
  const micros = Math.round(ms * 1_000);
  return create(DurationSchema, {
    seconds: BigInt(Math.floor(micros / 1e6)),
    nanos: (micros % 1e6) * 1_000,
  });
};

export const refOf = (message: AttemptRefMessage): AttemptRef => ({
  organizationId: message.organizationId,
  jobId: message.jobId,
  attempt: message.attempt,
  leaseToken: message.leaseToken,
});

export const refMessage = (ref: AttemptRef): AttemptRefMessage => create(AttemptRefSchema, ref);

/** Null for an assignment that names no attempt: the server is broken, and there is nobody to tell. */
export const assignmentOf = (message: AssignmentMessage): Assignment | null =>
  message.attempt === undefined
    ? null
    : {
        ref: refOf(message.attempt),
        capability: message.capability,
        scriptHash: message.scriptHash,
        input: message.inputJson,
        attemptTimeoutMs: millisOf(message.attemptTimeout, DEFAULT_ATTEMPT_TIMEOUT_MS),
        type: message.type,
        typeVersion: message.typeVersion,
        creatorId: message.creatorId,
        runAs: message.runAs,
        labels: message.labels,
        traceparent: message.traceparent,
        jobToken: message.jobToken,
      };

const STREAMS: Readonly<Record<OutputStream, OutputStreamMessage>> = {
  STDOUT: OutputStreamMessage.STDOUT,
  STDERR: OutputStreamMessage.STDERR,
  LOG: OutputStreamMessage.LOG,
};

const endingMessage = (ending: Ending): EndingMessage =>
  create(EndingSchema, {
    ending: caseOf(ending),
    cpuTime: durationOf(ending.cpuMs),
    peakMemoryBytes: BigInt(ending.peakMemoryBytes),
  });

const caseOf = (ending: Ending): EndingMessage["ending"] => {
  switch (ending.kind) {
    case "succeeded":
      return { case: "resultJson", value: ending.result };
    case "cancelled":
      return { case: "cancelled", value: create(CancelledSchema) };
    case "failed":
      return {
        case: "error",
        value: create(JobErrorSchema, {
          ...ending.error,
          message: cutUtf8(ending.error.message, MOST_ERROR_BYTES),
          stack: cutUtf8(ending.error.stack, MOST_ERROR_BYTES),
        }),
      };
  }
};

export const updateMessage = (ref: AttemptRef, update: Update): JobUpdate =>
  create(JobUpdateSchema, {
    attempt: refMessage(ref),
    seq: BigInt(update.seq),
    output: update.output.map(({ stream, text }) =>
      create(OutputLineSchema, { stream: STREAMS[stream], text }),
    ),
    steps: update.steps.map(({ name, result }) =>
      create(StepResultSchema, { name, resultJson: result }),
    ),
    ...(update.progress === null ? {} : { progress: create(ProgressSchema, update.progress) }),
    ...(update.ending === null ? {} : { ending: endingMessage(update.ending) }),
  });
