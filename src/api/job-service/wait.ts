import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  RunJobRequest,
  RunJobResponseSchema,
  WaitJobRequest,
  WaitJobResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import type { JobId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { hasEnded } from "../../jobs/states.ts";
import { collectFaults } from "../convert/faults.ts";
import { durationWithin, numberWithin } from "../convert/fields.ts";
import { toJob } from "../convert/job.ts";
import { awaitJob } from "../watch/await-job.ts";
import { type Follower, follow } from "../watch/follow.ts";
import { type Call, findJob, ownerOf } from "./api.ts";
import { resultOf } from "./read.ts";
import { prepare } from "./prepare.ts";
import { submitOne } from "./submit.ts";

/** An answer needs this much of the caller's deadline to reach him. */
const MARGIN_MS = 500;
const MARGIN_SHARE = 0.1;

/** Milliseconds that a call may wait: what it asked for, but not up to its own deadline. */
export const patience = (wantedMs: number, timeoutMs: number | undefined): number =>
  timeoutMs === undefined
    ? wantedMs
    : Math.max(0, Math.min(wantedMs, timeoutMs - Math.min(MARGIN_MS, timeoutMs * MARGIN_SHARE)));

const followJob = (call: Call, id: JobId): Follower =>
  follow(() => ownerOf(call).feed.watchJob(call.place.organizationId, id), call.api.clock);

/** Subscribes first and submits second: the end of a short job cannot be missed, and costs no read. */
export const runJob = async (
  call: Call,
  request: RunJobRequest,
): Promise<MessageInitShape<typeof RunJobResponseSchema>> => {
  const { api, place, context } = call;
  const faults = collectFaults();
  const { max, default: standard } = LIMITS.runWaitMs;
  const wanted = durationWithin(faults, "max_wait", request.maxWait, { min: 0, max }, standard);
  if (request.submit === undefined) faults.add("submit", "is missing.");
  faults.throwIfAny();
  if (request.submit === undefined) throw new Error("a fault was not thrown");
  const submission = await prepare(call, request.submit, "submit.");
  if (request.submit.validateOnly) return { created: false };
  const waitMs = patience(wanted, context.timeoutMs());
  let follower = followJob(call, submission.job.id);
  try {
    follower.open();
    const { job, created } = await submitOne(call, submission);
    if (job.id !== submission.job.id) {
      follower.close();
      follower = followJob(call, job.id);
    }
    const row = await awaitJob(api, {
      place,
      follower,
      start: job,
      until: ({ state }) => hasEnded(state),
      waitMs,
      signal: context.signal,
    });
    const result = row.state === "SUCCEEDED" ? await resultOf(call, row) : undefined;
    return {
      job: toJob(row, api.clock.now()),
      created,
      ...(result === undefined ? {} : { result }),
    };
  } finally {
    follower.close();
  }
};

export const waitJob = async (
  call: Call,
  request: WaitJobRequest,
): Promise<MessageInitShape<typeof WaitJobResponseSchema>> => {
  const { api, place, context } = call;
  const faults = collectFaults();
  const { max, default: standard } = LIMITS.waitMs;
  const wanted = durationWithin(faults, "max_wait", request.maxWait, { min: 0, max }, standard);
  const since = numberWithin(faults, "revision", Number(request.revision), {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  });
  faults.throwIfAny();
  const start = await findJob(call, request.jobId);
  const follower = followJob(call, start.id);
  try {
    const row = await awaitJob(api, {
      place,
      follower,
      start,
      until: ({ state, revision }) => hasEnded(state) || (since > 0 && revision > since),
      waitMs: patience(wanted, context.timeoutMs()),
      signal: context.signal,
    });
    return { job: toJob(row, api.clock.now()), revision: BigInt(row.revision) };
  } finally {
    follower.close();
  }
};
