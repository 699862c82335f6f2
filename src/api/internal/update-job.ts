import type { Tracer } from "@opentelemetry/api";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";

import type {
  UpdateJobRequest,
  UpdateJobResponseSchema,
} from "../../gen/millrace/internal/v1/job_update_service_pb.ts";
import type { JobSchema } from "../../gen/millrace/v1/job_pb.ts";
import { type Caller, maySee } from "../../identity/caller.ts";
import type { Actor } from "../../jobs/audit.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import { isUuidV7, type JobId, type OrganizationId } from "../../jobs/ids.ts";
import type { JobRow, JsonText, Millis } from "../../jobs/job.ts";
import type { Ending } from "../../jobs/report.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type JobUpdate, update } from "../../shard/commands/update.ts";
import type { ShardRouter } from "../../shard/owner.ts";
import { orThrow } from "../../shard/refusals.ts";
import { addressKey, callerKey } from "../caller-context.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { toJob } from "../convert/job.ts";
import { plainOf } from "../convert/json-value.ts";
import { numberWithin } from "../convert/fields.ts";
import { toError, toOutput, toProgress, toResult, toSeq } from "./report-fields.ts";

export type UpdateApi = {
  readonly router: ShardRouter;
  readonly clock: Clock;
  readonly tracer: Tracer;
};

/** What was not measured by a runner of ours is not told. */
const UNMEASURED = { cpuMs: 0, peakMemoryBytes: 0 } as const;

const result = (faults: Faults, given: Parameters<typeof plainOf>[0]): JsonText => {
  try {
    const value = plainOf(given);
    return toResult(faults, "result", JSON.stringify(value), value);
  } catch (caught) {
    if (!(caught instanceof RangeError)) throw caught;
    faults.add("result", `is no JSON value: ${caught.message}.`);
    return "null";
  }
};

const ending = (faults: Faults, { ending: given }: UpdateJobRequest): Ending | null => {
  switch (given.case) {
    case "result":
      return { kind: "succeeded", result: result(faults, given.value), ...UNMEASURED };
    case "error":
      return {
        kind: "failed",
        error: toError(faults.inside("error."), given.value),
        ...UNMEASURED,
      };
    case "cancelled":
      return { kind: "cancelled", ...UNMEASURED };
    case undefined:
      return null;
  }
};

const MAX_ATTEMPT = 2 ** 31 - 1;

type Said = Pick<JobUpdate, "attempt" | "seq" | "progress" | "output" | "ending">;

/** @throws JobFault INVALID_ARGUMENT */
const check = (request: UpdateJobRequest, caller: Caller): Said => {
  const faults = collectFaults();
  if (request.jobId === "") faults.add("job_id", "is missing.");
  if (caller.kind === "runner" && request.organizationId === "") {
    faults.add("organization_id", "is missing: a runner's token speaks for no organization.");
  }
  const { progress } = request;
  const said = {
    attempt: numberWithin(faults, "attempt", request.attempt, { min: 0, max: MAX_ATTEMPT }),
    seq: toSeq(faults, request.seq),
    progress: progress === undefined ? null : toProgress(faults.inside("progress."), progress),
    output: toOutput(faults, request.output),
    ending: ending(faults, request),
  };
  faults.throwIfAny();
  return said;
};

/**
 * Of which organization's job, and of which attempt, this caller speaks. A user with `job-write`
 * speaks of every job of his organization, whether he may see it or not (row D6); a job's own
 * token of its own attempt alone.
 * @throws JobFault PERMISSION_DENIED; JOB_NOT_FOUND for whatever is not his to speak of
 */
const scopeOf = (
  caller: Caller,
  { organizationId, jobId, attempt }: UpdateJobRequest,
): { readonly organizationId: OrganizationId; readonly attempt: number } => {
  if (caller.kind !== "user") {
    if (!isUuidV7(organizationId)) throw jobNotFound(jobId);
    return { organizationId: organizationId as OrganizationId, attempt };
  }
  const own = { organizationId: caller.organizationId, attempt };
  if (organizationId !== "" && organizationId !== caller.organizationId) throw jobNotFound(jobId);
  if (caller.attempt === null) return own;
  const isOwn =
    jobId === caller.attempt.jobId && (attempt === 0 || attempt === caller.attempt.attempt);
  if (!isOwn) throw jobNotFound(jobId);
  return { ...own, attempt: caller.attempt.attempt };
};

/** @throws JobFault PERMISSION_DENIED */
const requireReporter = (caller: Caller): void => {
  if (caller.kind !== "user" || caller.attempt !== null) return;
  if (caller.permissions.has("job-write")) return;
  throw new JobFault(
    "PERMISSION_DENIED",
    "This needs job-write, which your token does not carry, or the job's own token.",
    { metadata: { needs: "job-write" } },
  );
};

/** To report is not to see (row C4): without the right to see the job, only what reporting needs. */
const shown = (caller: Caller, row: JobRow, now: Millis): MessageInitShape<typeof JobSchema> => {
  const job = toJob(row, now);
  if (caller.kind === "user" && (caller.attempt !== null || maySee(caller, row))) return job;
  const { id, organizationId, state, attempt, progress, outputCount, cancelRequested } = job;
  return { id, organizationId, state, attempt, progress, outputCount, cancelRequested };
};

const actorOf = (caller: Caller, context: HandlerContext): Actor => ({
  userId: caller.kind === "user" ? caller.userId : "",
  tokenId: caller.tokenId,
  address: context.values.get(addressKey),
});

/** One report on a running job by its reference; answered once it is durable. */
export const updateJob = async (
  { router, clock }: UpdateApi,
  request: UpdateJobRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof UpdateJobResponseSchema>> => {
  const caller = context.values.get(callerKey);
  if (caller === null) throw new Error("the gate let in a call without a caller");
  requireReporter(caller);
  const said = check(request, caller);
  const { jobId } = request;
  const { organizationId, attempt } = scopeOf(caller, request);
  if (!isUuidV7(jobId)) throw jobNotFound(jobId);
  const { job, cancelRequested } = orThrow(
    await router.ownerOf(organizationId).perform(
      update({
        ...said,
        organizationId,
        jobId: jobId as JobId,
        attempt,
        by: actorOf(caller, context),
      }),
    ),
  );
  return {
    job: shown(caller, job, clock.now()),
    cancelRequested,
    lastSeq: BigInt(job.updateSeq),
  };
};
