import type { DeliveryRow, SigningSecretRow } from "../jobs/delivery.ts";
import type { JobFault } from "../jobs/errors.ts";
import type { JsonText, Millis } from "../jobs/job.ts";
import { jobEvent, withResult } from "../jobs/notice.ts";
import type { Answer, Post } from "../outgoing/post.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { recordTry, type Tried } from "../shard/commands/delivery.ts";
import { dropDeliveries } from "../shard/commands/drop-deliveries.ts";
import { keepSigningSecrets, signs } from "../shard/commands/signing-secret.ts";
import type { ShardRouter } from "../shard/owner.ts";
import type { DeliveryStore, JobReader, Place } from "../store/store.ts";
import { signedMessage } from "./message.ts";
import { freshSigningSecret } from "./signing-secret.ts";
import type { DeliveryTraces } from "./traces.ts";
import { verdictOf } from "./verdict.ts";

export type AttemptOptions = {
  readonly deliveries: Pick<DeliveryStore, "secrets">;
  readonly jobs: Pick<JobReader, "result" | "traceparent">;
  readonly router: ShardRouter;
  readonly post: Post;
  readonly traces: DeliveryTraces;
  /**
   * Submits the job of a hook, in one commit with the end of its delivery. Null if that is done, or
   * why it cannot be now. The job goes on with the trace. @throws what is no refusal
   */
  readonly submitJob: (delivery: DeliveryRow, traceparent: string) => Promise<JobFault | null>;
  readonly clock: Clock;
  readonly random: Pick<Random, "secret">;
};

const SUCCEEDED = jobEvent({ state: "SUCCEEDED" });

/**
 * One try: what is sent is read and signed anew each time, and what came of it is committed before
 * the try counts. Answers whether the receiver said anything.
 */
export const createAttempt = (
  options: AttemptOptions,
): ((delivery: DeliveryRow, signal: AbortSignal) => Promise<boolean>) => {
  const { deliveries, jobs, router, post, traces, submitJob, clock, random } = options;

  const placeOf = ({ organizationId }: DeliveryRow): Place => ({
    shardId: router.shardOf(organizationId),
    organizationId,
  });

  const bodyOf = async (delivery: DeliveryRow): Promise<JsonText> => {
    const { body, event, jobId, attempt } = delivery;
    if (event !== SUCCEEDED || jobId === "") return body;
    return withResult(body, await jobs.result(placeOf(delivery), jobId, attempt));
  };

  /** Empty: the hook is gone. What signs is durable before anything is signed with it. */
  const secretsOf = async (
    delivery: DeliveryRow,
    now: Millis,
  ): Promise<readonly SigningSecretRow[]> => {
    const { organizationId, hookId } = delivery;
    const known = await deliveries.secrets(placeOf(delivery), hookId);
    const valid = known.filter((secret) => signs(secret, now));
    if (valid.length > 0) return valid;
    const fresh = freshSigningSecret(random);
    const key = { organizationId, id: hookId };
    return await router.ownerOf(organizationId).perform(keepSigningSecrets(key, fresh));
  };

  const record = async (
    delivery: DeliveryRow,
    begun: { readonly now: Millis; readonly monotonic: number },
    answer: Answer,
  ): Promise<void> => {
    const durationMs = Math.round(clock.monotonic() - begun.monotonic);
    const tried: Tried = {
      delivery,
      startedAt: begun.now,
      durationMs,
      ...verdictOf(answer, clock.now()),
    };
    await router.ownerOf(delivery.organizationId).perform(recordTry(tried));
  };

  /** Of the job that a notice tells of; empty if it tells of none. */
  const traceparentFor = (delivery: DeliveryRow) => async (): Promise<string> =>
    delivery.jobId === "" ? "" : await jobs.traceparent(placeOf(delivery), delivery.jobId);

  const submit = async (delivery: DeliveryRow): Promise<boolean> => {
    const begun = { now: clock.now(), monotonic: clock.monotonic() };
    const fault = await traces.submit(
      delivery,
      traceparentFor(delivery),
      async (traceparent) => await submitJob(delivery, traceparent),
    );
    if (fault !== null) {
      const error = `${fault.reason}: ${fault.message}`;
      await record(delivery, begun, { status: 0, retryAfter: "", error });
    }
    return true;
  };

  const send = async (delivery: DeliveryRow, signal: AbortSignal): Promise<boolean> => {
    const { organizationId } = delivery;
    const secrets = await secretsOf(delivery, clock.now());
    if (secrets.length === 0) {
      await router.ownerOf(organizationId).perform(dropDeliveries(organizationId, [delivery]));
      return true;
    }
    const body = await bodyOf(delivery);
    const begun = { now: clock.now(), monotonic: clock.monotonic() };
    const message = signedMessage(delivery, body, secrets, begun.now);
    const answer = await traces.follow(
      delivery,
      traceparentFor(delivery),
      async (headers) =>
        await post({ ...message, headers: { ...message.headers, ...headers } }, signal),
    );
    await record(delivery, begun, answer);
    return answer.status !== 0;
  };

  return async (delivery, signal) =>
    delivery.jobType === "" ? await send(delivery, signal) : await submit(delivery);
};
