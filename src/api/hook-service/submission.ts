import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";

import { SubmitJobRequestSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import { SERVER } from "../../jobs/audit.ts";
import type { DeliveryRow } from "../../jobs/delivery.ts";
import { JobFault, type Reason } from "../../jobs/errors.ts";
import type { HookRow } from "../../jobs/hook.ts";
import type { JsonText } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { isNestedAtMost } from "../../jobs/nesting.ts";
import { withResult } from "../../jobs/notice.ts";
import type { Submission } from "../../jobs/submission.ts";
import { dropDeliveries } from "../../shard/commands/drop-deliveries.ts";
import { submitForHook } from "../../shard/commands/hook-job.ts";
import type { Place } from "../../store/store.ts";
import { prepareFor } from "../job-service/prepare.ts";
import { standingCaller } from "../job-service/standing-caller.ts";
import type { HookApi } from "./api.ts";

/** Trouble of ours, which says nothing against the job: the same is tried again. */
const OURS: ReadonlySet<Reason> = new Set(["SHARD_UNAVAILABLE", "SHUTTING_DOWN", "INTERNAL"]);

/** What the job is given: the notice, with the result of the job that it tells of. */
const inputOf = async (
  { jobs }: HookApi,
  place: Place,
  { body, jobId, attempt }: DeliveryRow,
): Promise<JsonValue> => {
  const plain = JSON.parse(body) as JsonValue;
  if (jobId === "" || attempt === 0) return plain;
  const parsed = (result: JsonText | null): JsonValue =>
    JSON.parse(withResult(body, result)) as JsonValue;
  const whole = parsed(await jobs.jobs.result(place, jobId, attempt));
  // A notice is around the result: one that is as deep as may be would be too deep as a part of it.
  return isNestedAtMost(whole, LIMITS.jsonDepth) ? whole : parsed(null);
};

type Asked = { readonly type: string; readonly input: JsonValue; readonly traceparent: string };

/** Checked as any other job. @throws JobFault as SubmitJob, and PERMISSION_DENIED */
const submissionOf = async (
  api: HookApi,
  hook: HookRow,
  { type, input, traceparent }: Asked,
): Promise<Submission> => {
  const { organizationId, creatorId, id, name } = hook;
  const caller = await standingCaller(api.jobs.users, organizationId, creatorId);
  const request = create(SubmitJobRequestSchema, {
    spec: {
      name: name === "" ? id : name,
      work: { case: "type", value: type },
      input: fromJson(ValueSchema, input),
    },
  });
  return await prepareFor(api.jobs, { caller, by: SERVER, traceparent }, request);
};

/**
 * For whoever sends notices: submits the job of one. Null if that is done, or not to be done any more;
 * else why the job was refused. `traceparent`: W3C Trace Context that the job goes on with, or empty.
 * @throws what is no refusal
 */
export const submitHookJob =
  (api: HookApi) =>
  async (delivery: DeliveryRow, traceparent: string): Promise<JobFault | null> => {
    const { router, clock } = api.jobs;
    const { organizationId, hookId, jobType } = delivery;
    const begun = { startedAt: clock.now(), monotonic: clock.monotonic() };
    const place = { shardId: router.shardOf(organizationId), organizationId };
    const owner = router.ownerOf(organizationId);
    const hook = hookId === "" ? null : await api.hooks.find(place, hookId);
    if (hook === null) {
      await owner.perform(dropDeliveries(organizationId, [delivery]));
      return null;
    }
    try {
      const input = await inputOf(api, place, delivery);
      const submission = await submissionOf(api, hook, { type: jobType, input, traceparent });
      const durationMs = Math.round(clock.monotonic() - begun.monotonic);
      const { startedAt } = begun;
      return await owner.perform(submitForHook(delivery, submission, { startedAt, durationMs }));
    } catch (caught) {
      if (!(caught instanceof JobFault) || OURS.has(caught.reason)) throw caught;
      return caught;
    }
  };
