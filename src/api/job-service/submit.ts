import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  SubmitJobRequest,
  SubmitJobResponseSchema,
  SubmitJobsRequest,
  SubmitJobsResponse_OutcomeSchema,
  SubmitJobsResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { SubmitOutcome } from "../../shard/owner.ts";
import { collectFaults } from "../convert/faults.ts";
import { toJob } from "../convert/job.ts";
import { toStatus } from "../errors.ts";
import { type Call, ownerOf } from "./api.ts";
import { prepare, prepareAll } from "./prepare.ts";

type Answer = MessageInitShape<typeof SubmitJobResponseSchema>;

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
  const checked = await prepareAll(call, requests, (index) => `requests[${index}].`);
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
