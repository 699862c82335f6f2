import { fromJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.ts";
import type { AwaitChildResponse } from "../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { type Job, type JobSpec, JobSpecSchema, JobState } from "../src/gen/millrace/v1/job_pb.ts";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Clock, sleep } from "../src/runtime/clock.ts";
import type { Random } from "../src/runtime/random.ts";
import { backoffMs } from "./backoff.ts";
import type { ServerConnection } from "./connection.ts";
import type { TracedChildren } from "./child-spans.ts";
import { type AttemptRef, AttemptStopped, ChildFault } from "./executor.ts";
import { isPassing } from "./passing.ts";
import { createPlaces, type Places } from "./places.ts";
import type { Resting } from "./resting.ts";
import { refMessage } from "./wire.ts";

export type ChildrenOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** The servers that may know of the attempt, the likeliest first. */
  readonly routes: () => readonly ServerConnection[];
  readonly resting: Resting;
  readonly places: ChildPlaces;
  /** Aborts when the attempt is over. */
  readonly signal: () => AbortSignal;
};

const SUBMIT_WITHIN_MS = 10_000;
const WAIT_MS = 20_000;
/** While others wait for a place. */
const CROWDED_WAIT_MS = 2_000;
/** Beyond the wait, for the way. */
const SLACK_MS = 5_000;

/**
 * A connection carries a thousand calls, and on it the runner says that it lives: calls for jobs of
 * jobs leave room for that, however many somebody's script makes.
 */
export type ChildPlaces = { readonly submits: Places; readonly waits: Places };

export const createChildPlaces = (): ChildPlaces => ({
  submits: createPlaces(100),
  waits: createPlaces(400),
});

/** Of one attempt: it takes several to keep all others waiting. */
const WAITS_OF_ATTEMPT = 50;

/**
 * What a running job does with jobs of its own; both calls may be repeated as often as it takes. Most
 * jobs have none: nothing is made before the first call.
 */
export const createChildren = (ref: AttemptRef, options: ChildrenOptions): TracedChildren => {
  let opened: TracedChildren | null = null;
  const open = (): TracedChildren =>
    (opened ??= openChildren(ref, { ...options, signal: options.signal() }));
  return {
    submit: async (name, spec, traceparent) => await open().submit(name, spec, traceparent),
    wait: async (jobId) => await open().wait(jobId),
  };
};

type Opened = Omit<ChildrenOptions, "signal"> & { readonly signal: AbortSignal };

const openChildren = (ref: AttemptRef, options: Opened): TracedChildren => {
  const { signal, resting, places } = options;
  const own = createPlaces(WAITS_OF_ATTEMPT);
  const attempt = refMessage(ref);
  const waits = new Map<string, Promise<string>>();

  const awaitOnce = async (jobId: string): Promise<AwaitChildResponse> =>
    await ask(options, WAIT_MS + SLACK_MS, async ({ runner }, call) => {
      const isCrowded = own.isCrowded() || places.waits.isCrowded();
      const maxWait = durationFromMs(isCrowded ? CROWDED_WAIT_MS : WAIT_MS);
      return await runner.awaitChild({ attempt, jobId, maxWait }, call);
    });

  const waitFor = async (jobId: string): Promise<string> => {
    const once = async () => await awaitOnce(jobId);
    const inPlace = async () => await places.waits.during(signal, once);
    for (;;) {
      const { job, resultJson } = await resting.during(
        ref.leaseToken,
        async () => await own.during(signal, inPlace),
      );
      if (job?.state === JobState.SUCCEEDED) return resultJson;
      if (job !== undefined) throwIfEnded(job);
      signal.throwIfAborted();
    }
  };

  return {
    submit: async (name, json, traceparent) => {
      const spec = specOf(json);
      const headers = traceparent === "" ? {} : { traceparent };
      const submit = async () =>
        await ask(
          options,
          SUBMIT_WITHIN_MS,
          async ({ runner }, call) =>
            await runner.submitChild({ attempt, name, spec }, { ...call, headers }),
        );
      return (await places.submits.during(signal, submit)).jobId;
    },
    wait: async (jobId) => {
      // Whoever waits twice for a child waits with the first.
      const known = waits.get(jobId);
      if (known !== undefined) return await known;
      const waiting = waitFor(jobId).finally(() => waits.delete(jobId));
      waits.set(jobId, waiting);
      return await waiting;
    },
  };
};

const specOf = (json: string): JobSpec => {
  try {
    return fromJsonString(JobSpecSchema, json);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ChildFault("child.refused", `the job cannot be submitted: ${why}`, false);
  }
};

const throwIfEnded = ({ id, state, error, cancelReason }: Job): void => {
  if (state === JobState.FAILED) {
    const why = error === undefined ? "" : `: ${error.code}: ${error.message}`;
    throw new ChildFault("child.failed", `the job ${id} failed${why}`, false);
  }
  if (state === JobState.CANCELLED) {
    const why = cancelReason === "" ? "" : `: ${cancelReason}`;
    throw new ChildFault("child.cancelled", `the job ${id} was cancelled${why}`, false);
  }
};

type Call = { readonly timeoutMs: number; readonly signal: AbortSignal };

/**
 * Asks one server after the other while none can answer, until the attempt is over: another may own
 * the shard by now, or will in a moment.
 */
const ask = async <T>(
  { clock, random, routes, signal }: Opened,
  timeoutMs: number,
  call: (connection: ServerConnection, options: Call) => Promise<T>,
): Promise<T> => {
  for (let tries = 0; ; tries += 1) {
    const known = routes();
    const connection = known[tries % known.length];
    try {
      if (connection === undefined) throw new ConnectError("no server is known", Code.Unavailable);
      return await call(connection, { timeoutMs, signal });
    } catch (caught) {
      signal.throwIfAborted();
      const cause = ConnectError.from(caught);
      const reason = cause.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
      if (reason === "LEASE_LOST") throw new AttemptStopped("forgotten");
      if (!isPassing(cause)) {
        throw new ChildFault(
          "child.refused",
          cause.rawMessage,
          cause.code === Code.ResourceExhausted,
        );
      }
      await sleep(clock, backoffMs(Math.min(tries + 1, 5), random), signal);
    }
  }
};
