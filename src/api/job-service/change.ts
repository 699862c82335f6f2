import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  CancelJobRequest,
  CancelJobResponseSchema,
  RetryJobRequest,
  RetryJobResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { collectFaults } from "../convert/faults.ts";
import { text } from "../convert/fields.ts";
import { toJob } from "../convert/job.ts";
import { actorOf, type Call, findJob, ownerOf } from "./api.ts";

export const cancelJob = async (
  call: Call,
  request: CancelJobRequest,
): Promise<MessageInitShape<typeof CancelJobResponseSchema>> => {
  const faults = collectFaults();
  const reason = text(faults, "reason", request.reason, LIMITS.cancelReasonLength);
  faults.throwIfAny();
  const { id } = await findJob(call, request.jobId);
  const by = actorOf(call);
  const job = await ownerOf(call).cancel(call.caller.organizationId, id, { reason, by });
  return { job: toJob(job, call.api.clock.now()) };
};

export const retryJob = async (
  call: Call,
  { jobId }: RetryJobRequest,
): Promise<MessageInitShape<typeof RetryJobResponseSchema>> => {
  const { id } = await findJob(call, jobId);
  const job = await ownerOf(call).retry(call.caller.organizationId, id, actorOf(call));
  return { job: toJob(job, call.api.clock.now()) };
};
