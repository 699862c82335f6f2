/** What running jobs do with jobs of their own, through their runners (row E4). */
import { create, type MessageInitShape } from "@bufbuild/protobuf";

import {
  type AttemptRef as WireRef,
  AttemptRefSchema,
  type AwaitChildRequest,
  type AwaitChildResponseSchema,
  type SubmitChildRequest,
  type SubmitChildResponseSchema,
} from "../../gen/millrace/internal/v1/runner_service_pb.ts";
import { SubmitJobRequestSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import type { UserCaller } from "../../identity/caller.ts";
import type { JobTokens } from "../../identity/job-tokens.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import { isId, isUuidV7, type JobId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { AttemptRef } from "../../jobs/report.ts";
import { hasEnded } from "../../jobs/states.ts";
import { restFor, wakeFrom } from "../../shard/commands/await-child.ts";
import { leaseLost } from "../../shard/commands/report.ts";
import type { ShardRouter } from "../../shard/owner.ts";
import type { JobReader, Place } from "../../store/store.ts";
import { collectFaults } from "../convert/faults.ts";
import { durationWithin, text } from "../convert/fields.ts";
import { toJob } from "../convert/job.ts";
import { type PreparingApi, prepareFor } from "../job-service/prepare.ts";
import { awaitJob } from "../watch/await-job.ts";
import { follow } from "../watch/follow.ts";
import { fromWireRef } from "./attempt-ref.ts";
import { childRequest } from "./child-request.ts";
import { findAttempt } from "./steps.ts";

export type ChildrenApi = PreparingApi & {
  readonly router: ShardRouter;
  readonly jobs: JobReader;
  readonly jobTokens: JobTokens;
  /** Aborted when the server stops. */
  readonly shutdown: AbortSignal;
};

/** What waiting for a child needs. */
export type AwaitingApi = Pick<ChildrenApi, "router" | "jobs" | "clock" | "shutdown">;

const attemptOf = (wire: WireRef | undefined): AttemptRef => {
  const ref = fromWireRef(wire ?? create(AttemptRefSchema));
  if (!isId(ref.organizationId) || !isUuidV7(ref.jobId)) throw leaseLost(ref);
  return ref;
};

/** The attempt as its own token speaks. @throws JobFault as `findAttempt` does; PERMISSION_DENIED */
const callerOf = async (
  { router, jobs, jobTokens }: ChildrenApi,
  ref: AttemptRef,
): Promise<UserCaller> => {
  const { organizationId } = ref;
  await findAttempt(jobs, { shardId: router.shardOf(organizationId), organizationId }, ref);
  const caller = (await jobTokens.inspect(jobTokens.mint(ref)))?.caller;
  if (caller?.kind !== "user") throw leaseLost(ref);
  if (caller.permissions.has("jobs:create")) return caller;
  throw new JobFault(
    "PERMISSION_DENIED",
    "Submitting jobs needs jobs:create, which the user that this job acts for does not have.",
    { metadata: { needs: "jobs:create" } },
  );
};

/** @throws JobFault as the contract tells */
export const submitChild = async (
  api: ChildrenApi,
  request: SubmitChildRequest,
  { address, traceparent }: { readonly address: string; readonly traceparent: string },
): Promise<MessageInitShape<typeof SubmitChildResponseSchema>> => {
  const faults = collectFaults();
  if (request.attempt === undefined) faults.add("attempt", "is missing.");
  const name = text(faults, "name", request.name, LIMITS.stepNameLength);
  if (name === "") faults.add("name", "is missing.");
  if (request.spec === undefined) faults.add("spec", "is missing.");
  faults.throwIfAny();
  const ref = attemptOf(request.attempt);
  const caller = await callerOf(api, ref);
  const by = { userId: caller.userId, tokenId: caller.tokenId, address };
  const { requestId, fingerprint } = childRequest(ref.jobId, name);
  const submission = await prepareFor(
    api,
    { caller, by, traceparent },
    create(SubmitJobRequestSchema, {
      requestId,
      ...(request.spec && { spec: request.spec }),
    }),
  );
  const named = submission.request && { ...submission.request, fingerprint };
  const owner = api.router.ownerOf(ref.organizationId);
  const [outcome] = await owner.submit([{ ...submission, request: named }]);
  if (outcome === undefined) throw new Error("the owner gave no outcome for a child");
  if (outcome instanceof JobFault) throw outcome;
  return { jobId: outcome.job.id, created: outcome.created };
};

/** @throws JobFault as the contract tells */
export const awaitChild = async (
  api: AwaitingApi,
  request: AwaitChildRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof AwaitChildResponseSchema>> => {
  const { router, jobs, clock } = api;
  const faults = collectFaults();
  if (request.attempt === undefined) faults.add("attempt", "is missing.");
  const { max, default: standard } = LIMITS.waitMs;
  const waitMs = durationWithin(faults, "max_wait", request.maxWait, { min: 0, max }, standard);
  faults.throwIfAny();
  const ref = attemptOf(request.attempt);
  const { organizationId } = ref;
  if (!isUuidV7(request.jobId)) throw jobNotFound(request.jobId);
  const id = request.jobId as JobId;
  const place = { shardId: router.shardOf(organizationId), organizationId };
  const follower = follow(
    () => router.ownerOf(organizationId).feed.watchJob(organizationId, id),
    clock,
  );
  try {
    follower.open();
    const start = await router.ownerOf(organizationId).perform(restFor(ref, id));
    if (start instanceof JobFault) throw start;
    const until = ({ state }: JobRow): boolean => hasEnded(state);
    const child = await awaitJob(api, { place, follower, start, until, waitMs, signal });
    return { job: toJob(child, clock.now()), resultJson: await resultOf(jobs, place, child) };
  } finally {
    follower.close();
    await stopResting(api, ref, id);
  }
};

const resultOf = async (
  jobs: Pick<JobReader, "result">,
  place: Place,
  { id, state, attempt }: JobRow,
): Promise<string> =>
  state === "SUCCEEDED" ? ((await jobs.result(place, id, attempt)) ?? "") : "";

/** A shard that has gone to another server knows nothing of it any more. */
const stopResting = async ({ router }: AwaitingApi, ref: AttemptRef, id: JobId): Promise<void> => {
  try {
    await router.ownerOf(ref.organizationId).perform(wakeFrom(ref, id));
  } catch (caught) {
    if (!(caught instanceof JobFault)) throw caught;
  }
};
