import {
  type SubmitJobRequest,
  SubmitJobRequestSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import type { UserCaller } from "../../identity/caller.ts";
import type { OperationalUser } from "../../identity/operational-user.ts";
import type { Actor } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import { isUuidV7, type JobId } from "../../jobs/ids.ts";
import { freshJob } from "../../jobs/fresh-job.ts";
import type { Millis } from "../../jobs/job.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { Receivers } from "../../outgoing/receivers.ts";
import { collectFaults, type Faults } from "./faults.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { checkRequestId } from "./request-id.ts";
import { checkSpec, type CheckedSpec } from "./spec.ts";
import type { Compiled } from "./work.ts";
import { addInputFaults, typeDisabled, type TypedWork } from "./typed-work.ts";

export type SubmissionContext = {
  readonly caller: UserCaller;
  readonly by: Actor;
  /** Null: `run_as` names nobody who may act. */
  readonly operational: OperationalUser | null;
  readonly now: Millis;
  readonly compile: Compiled;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  /** W3C Trace Context of the call; empty if it had none. */
  readonly traceparent: string;
  /** The type that the submission names, or why there is none; null for a script. */
  readonly typed: TypedWork | JobFault | null;
  /** Who may be told of the end of a job. */
  readonly receivers: Receivers;
};

const rows = (
  request: SubmitJobRequest,
  spec: CheckedSpec,
  {
    operational,
    refusal,
  }: { readonly operational: OperationalUser; readonly refusal: JobFault | null },
  context: SubmissionContext,
): Submission => {
  const { caller, now, newId, traceparent } = context;
  const { organizationId, userId } = caller;
  const id = (request.jobId === "" ? newId() : request.jobId) as JobId;
  const { input, script, scriptHash } = spec;
  return {
    idIsChosen: request.jobId !== "",
    job: freshJob({
      organizationId,
      id,
      name: spec.name,
      type: spec.type,
      typeVersion: spec.typeVersion,
      capability: spec.capability,
      priority: spec.priority,
      labels: spec.labels,
      concurrencyKey: spec.concurrencyKey,
      concurrencyPolicy: spec.concurrencyPolicy,
      attemptTimeoutMs: spec.attemptTimeoutMs,
      deadlineAt: spec.deadlineAt,
      retryPolicy: spec.retryPolicy,
      creatorId: userId,
      runAs: operational.userId,
      workflowId: "",
      stepName: "",
      parentId: caller.attempt?.jobId ?? "",
      depth: 0,
      hookChain: [],
      callbackUrl: spec.callbackUrl,
      scheduleId: "",
      createdAt: now,
      runAt: spec.runAt,
    }),
    spec: {
      organizationId,
      id,
      input,
      scriptHash,
      bindings: "",
      traceparent,
      requestId: request.requestId,
    },
    script: script === null ? null : { organizationId, ...script, createdAt: now },
    request:
      request.requestId === ""
        ? null
        : {
            organizationId,
            requestId: request.requestId,
            jobId: id,
            fingerprint: fingerprintOf(SubmitJobRequestSchema, request, caller),
            createdAt: now,
          },
    deferred: operational.deferred,
    refusal,
    by: context.by,
  };
};

const check = (faults: Faults, request: SubmitJobRequest, context: SubmissionContext) => {
  checkRequestId(faults, request.requestId, context.caller.attempt !== null);
  if (request.jobId !== "" && !isUuidV7(request.jobId)) {
    faults.add("job_id", "must be a UUIDv7 in lower case, or empty.");
  }
  if (request.spec === undefined) {
    faults.add("spec", "is missing.");
    return undefined;
  }
  const { operational, now, compile, receivers } = context;
  if (operational === null) {
    faults.add("spec.run_as", "must be a user of your organization who is not disabled.");
  }
  const typed = context.typed instanceof JobFault ? null : context.typed;
  return checkSpec(faults.inside("spec."), request.spec, { now, compile, typed, receivers });
};

/** Why the type does not take a submission that is right in itself; null if it does. */
const refusalOf = (typed: TypedWork, at: string): JobFault | null => {
  if (!typed.type.enabled) return typeDisabled(typed.type);
  const faults = collectFaults(`${at}spec.`);
  addInputFaults(faults, typed);
  return faults.found();
};

/**
 * The rows that a request asks for.
 * @param at the path of the request in the message, such as `requests[3].`
 * @param named by an id that may have come before
 * @throws JobFault INVALID_ARGUMENT, NOT_SUPPORTED with the path of every fault; JOB_TYPE_NOT_FOUND,
 *   JOB_TYPE_DISABLED
 */
export const toSubmission = (
  request: SubmitJobRequest,
  context: SubmissionContext,
  at = "",
  named = request.requestId !== "" && !request.validateOnly,
): Submission => {
  const { typed } = context;
  const faults = collectFaults(at);
  const spec = check(faults, request, context);
  // Only the owner knows whether a request id came before; what the type says to a repetition of it
  // does not matter.
  const mayRepeat = named && faults.found() === null;
  if (typed !== null && !(typed instanceof JobFault) && !mayRepeat) {
    addInputFaults(faults.inside("spec."), typed);
  }
  faults.throwIfAny();
  if (typed instanceof JobFault) throw typed;
  const { operational } = context;
  if (spec === undefined || operational === null) throw new Error("a fault was not thrown");
  const refusal = typed === null ? null : refusalOf(typed, at);
  if (refusal !== null && !mayRepeat) throw refusal;
  return rows(request, spec, { operational, refusal }, context);
};
