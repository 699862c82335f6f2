import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  SubmitJobRequest,
  SubmitJobResponseSchema,
  SubmitJobsRequest,
  SubmitJobsResponse_OutcomeSchema,
  SubmitJobsResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import type { UserCaller } from "../../identity/caller.ts";
import { findOperationalUser } from "../../identity/operational-user.ts";
import type { Actor } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { SubmitOutcome } from "../../shard/owner.ts";
import { traceparentOf } from "../calls.ts";
import { collectFaults } from "../convert/faults.ts";
import { toJob } from "../convert/job.ts";
import { toSubmission } from "../convert/submission.ts";
import { toStatus } from "../errors.ts";
import { actorOf, type Call, type JobApi, ownerOf } from "./api.ts";

type Answer = MessageInitShape<typeof SubmitJobResponseSchema>;

/** Who submits, and what the audit log keeps of it. */
export type Submitter = {
  readonly caller: UserCaller;
  readonly by: Actor;
  /** W3C Trace Context; empty if there is none. */
  readonly traceparent: string;
};

/**
 * All checks of a submission, for calls and for schedules alike.
 * @throws JobFault INVALID_ARGUMENT, NOT_SUPPORTED, PERMISSION_DENIED, with paths that begin with `at`
 */
export const prepareFor = async (
  api: Pick<JobApi, "clock" | "compile" | "newId" | "users">,
  submitter: Submitter,
  request: SubmitJobRequest,
  at = "",
): Promise<Submission> => {
  const { compile, newId, clock, users } = api;
  const runAs = request.spec?.runAs ?? "";
  const operational = await findOperationalUser(users, submitter.caller, runAs);
  const now = clock.now();
  return toSubmission(request, { ...submitter, operational, now, compile, newId }, at);
};

/** @throws JobFault as `prepareFor` */
export const prepare = async (
  call: Call,
  request: SubmitJobRequest,
  at = "",
): Promise<Submission> => {
  const { api, caller, context } = call;
  const traceparent = traceparentOf(context.requestHeader);
  return await prepareFor(api, { caller, by: actorOf(call), traceparent }, request, at);
};

/** @throws JobFault what the owner refuses with */
export const submitOne = async (
  call: Call,
  submission: Submission,
): Promise<{ readonly job: JobRow; readonly created: boolean }> => {
  const [outcome] = await ownerOf(call).submit([submission]);
  if (outcome === undefined) throw new Error("the owner gave no outcome for a submission");
  if (outcome instanceof JobFault) throw outcome;
  return outcome;
};

export const submitJob = async (call: Call, request: SubmitJobRequest): Promise<Answer> => {
  const submission = await prepare(call, request);
  if (request.validateOnly) return { created: false };
  const { job, created } = await submitOne(call, submission);
  return { job: toJob(job, call.api.clock.now()), created };
};

type Outcome = MessageInitShape<typeof SubmitJobsResponse_OutcomeSchema>;

const failed = (fault: JobFault): Outcome => ({
  outcome: { case: "error", value: toStatus(fault) },
});

const succeeded = (value: Answer): Outcome => ({ outcome: { case: "submitted", value } });

const prepared = async (
  call: Call,
  request: SubmitJobRequest,
  index: number,
): Promise<Submission | JobFault> => {
  try {
    return await prepare(call, request, `requests[${index}].`);
  } catch (caught) {
    if (caught instanceof JobFault) return caught;
    throw caught;
  }
};

/** One outcome per request, in their order; those without a fault of their own share one commit. */
export const submitJobs = async (
  call: Call,
  { requests }: SubmitJobsRequest,
): Promise<MessageInitShape<typeof SubmitJobsResponseSchema>> => {
  const faults = collectFaults();
  if (requests.length === 0 || requests.length > LIMITS.submitBatch) {
    faults.add("requests", `must be 1 to ${LIMITS.submitBatch}; there are ${requests.length}.`);
  }
  faults.throwIfAny();
  const checked = await Promise.all(
    requests.map(async (request, index) => await prepared(call, request, index)),
  );
  const wanted = checked.filter(
    (one, index): one is Submission =>
      !(one instanceof JobFault) && requests[index]?.validateOnly === false,
  );
  const owned = wanted.length === 0 ? [] : await ownerOf(call).submit(wanted);
  const outcomes = new Map(wanted.map((one, index) => [one, owned[index]] as const));
  const now = call.api.clock.now();
  const tell = (outcome: SubmitOutcome): Outcome =>
    outcome instanceof JobFault
      ? failed(outcome)
      : succeeded({ job: toJob(outcome.job, now), created: outcome.created });
  return {
    outcomes: checked.map((one) => {
      if (one instanceof JobFault) return failed(one);
      const outcome = outcomes.get(one);
      return outcome === undefined ? succeeded({ created: false }) : tell(outcome);
    }),
  };
};
