import type { Clock } from "../../src/runtime/clock.ts";
import type { Log } from "../../src/runtime/log.ts";
import type { Deadlines } from "../deadlines.ts";
import {
  type Assignment,
  AttemptStopped,
  type Ending,
  type Failure,
  type Report,
  unmeasured,
} from "../executor.ts";
import { failure } from "../failures.ts";
import type { Handler, Job } from "../handler.ts";
import { createHandlerContext } from "./handler-context.ts";
import { checkedInput } from "./handler-input.ts";
import { jsonOf } from "../json-result.ts";
import { logFacts } from "../log-facts.ts";
import { thrownFailure } from "./thrown.ts";

export type HandlerOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** How long a handler may go on after a cancellation before the attempt ends without it. */
  readonly graceMs: number;
  /** Told of each end, once. */
  readonly ended: (end: HandlerEnd) => void;
};

export type HandlerEnd = {
  readonly assignment: Assignment;
  readonly ending: Ending;
  /** What the handler threw, if that was why. */
  readonly thrown: unknown;
  readonly runMs: number;
};

type Outcome =
  | { readonly kind: "succeeded"; readonly result: string }
  | { readonly kind: "failed"; readonly error: Failure; readonly thrown?: unknown }
  | { readonly kind: "cancelled" };

const CANCELLED: Outcome = { kind: "cancelled" };

/** The handler's signal aborts at this part of the attempt's time. */
const WARN_AT = 0.9;

/**
 * One attempt. Code of our own process cannot be killed: at the deadline, and when the grace after a
 * cancellation is over, the attempt ends without it, and what it says from then on goes nowhere.
 */
export const runHandler = async (
  handler: Handler,
  assignment: Assignment,
  report: Report,
  signal: AbortSignal,
  { clock, log, graceMs, ended, deadlines }: HandlerOptions & { readonly deadlines: Deadlines },
): Promise<Ending> =>
  await new Promise((resolve) => {
    const { attemptTimeoutMs, capability, ref } = assignment;
    const begun = clock.monotonic();
    const stopping = new AbortController();
    const timers: (() => void)[] = [];
    let over = false;

    const end = (outcome: Outcome): void => {
      if (over) return;
      over = true;
      for (const takeBack of timers) takeBack();
      signal.removeEventListener("abort", stop);
      const { thrown, ...how } = { thrown: undefined, ...(signal.aborted ? CANCELLED : outcome) };
      const ending: Ending = { ...how, ...unmeasured };
      resolve(ending);
      ended({ assignment, ending, thrown, runMs: clock.monotonic() - begun });
    };

    const endWithout = (outcome: Outcome): void => {
      const facts = { ...logFacts(ref), capability };
      log.warn(facts, "the attempt has ended, but its handler goes on");
      end(outcome);
    };

    const stop = (): void => {
      stopping.abort(new DOMException(whyStopped(signal.reason), "AbortError"));
      timers.push(
        deadlines.set(graceMs, () => {
          endWithout(CANCELLED);
        }),
      );
    };

    const work = async (): Promise<Outcome> => {
      try {
        const input = await checkedInput(handler.input, assignment.input);
        if (input.kind === "invalid") return { kind: "failed", error: input.error };
        const ctx = createHandlerContext({
          assignment,
          report,
          clock,
          signal: stopping.signal,
          over: () => over,
        });
        const result = jsonOf(await handler.execute(jobOf(assignment, input.value), ctx));
        if (result.kind === "refused") return { kind: "failed", error: result.error };
        return { kind: "succeeded", result: result.text };
      } catch (thrown) {
        return { kind: "failed", error: failureOf(thrown), thrown };
      }
    };

    /** Who gives up because the time is nearly over was too slow, not wrong. */
    const failureOf = (thrown: unknown): Failure =>
      stopping.signal.aborted && thrown === stopping.signal.reason
        ? failure("timeout.wall", `the attempt gave up near its limit of ${attemptTimeoutMs} ms`)
        : thrownFailure(thrown);

    if (signal.aborted) {
      end(CANCELLED);
      return;
    }
    signal.addEventListener("abort", stop, { once: true });
    timers.push(
      deadlines.set(attemptTimeoutMs * WARN_AT, () => {
        const message = `nine tenths of the ${attemptTimeoutMs} ms of the attempt are over`;
        stopping.abort(new DOMException(message, "TimeoutError"));
      }),
      deadlines.set(attemptTimeoutMs, () => {
        const message = `the attempt took longer than ${attemptTimeoutMs} ms`;
        endWithout({ kind: "failed", error: failure("timeout.wall", message) });
      }),
    );
    void work().then(end);
  });

const whyStopped = (reason: unknown): string =>
  reason instanceof AttemptStopped && reason.why === "forgotten"
    ? "the attempt is no longer this runner's"
    : "the job was cancelled";

const jobOf = (assignment: Assignment, input: unknown): Job => ({
  id: assignment.ref.jobId,
  organizationId: assignment.ref.organizationId,
  attempt: assignment.ref.attempt,
  type: assignment.type,
  typeVersion: assignment.typeVersion,
  input,
  creatorId: assignment.creatorId,
  runAs: assignment.runAs,
  labels: assignment.labels,
  traceparent: assignment.traceparent,
});
