import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { createDeadlines } from "../deadlines.ts";
import {
  type Assignment,
  AttemptStopped,
  type Ending,
  type Executor,
  type Failure,
  type Progress,
  type Report,
  unmeasured,
} from "../executor.ts";
import { failure } from "../failures.ts";
import { isNestedAtMost, RESULT_DEPTH } from "../nesting.ts";

/** What a handler is given to do. */
export type HandlerJob = {
  readonly id: string;
  readonly organizationId: string;
  readonly attempt: number;
  readonly type: string;
  /** With which the job was submitted: it may be older than the newest. */
  readonly typeVersion: number;
  readonly input: unknown;
  readonly creatorId: string;
  readonly runAs: string;
  readonly labels: Readonly<Record<string, string>>;
};

export type HandlerContext = {
  /** Aborts on cancellation, and when the attempt's time is over. */
  readonly signal: AbortSignal;
  /** A bearer token that speaks for the operational user until the attempt has ended. */
  readonly jobToken: string;
  progress(progress: number | Partial<Progress>): void;
  /** One row of output. */
  output(text: string): void;
  log(text: string): void;
};

/**
 * Trusted code in the runner's own process. What it returns becomes the result, as JSON; what it
 * throws fails the attempt, for good if the error says `retryable: false`.
 */
export type Handler = {
  execute(job: HandlerJob, ctx: HandlerContext): unknown;
};

const RESULT_BYTES = 1024 * 1024;

/** Executors for the capabilities `handler:<name>`. */
export const handlerExecutors = (
  handlers: Readonly<Record<string, Handler>>,
  clock: Clock = systemClock,
): ReadonlyMap<string, Executor> => {
  const deadlines = createDeadlines(clock);

  const executor = (handler: Handler): Executor => ({
    execute: async (assignment, report, signal) =>
      // Code of our own process cannot be killed: at the deadline the attempt ends without it.
      await new Promise<Ending>((resolve) => {
        const stopping = new AbortController();
        const stop = (): void => {
          stopping.abort(signal.reason);
        };
        const takeBack = deadlines.set(assignment.attemptTimeoutMs, () => {
          const ms = assignment.attemptTimeoutMs;
          const error = failure("timeout.wall", `the attempt took longer than ${ms} ms`);
          stopping.abort(new Error(error.message));
          end({ kind: "failed", error });
        });
        const end = (outcome: Outcome): void => {
          takeBack();
          signal.removeEventListener("abort", stop);
          resolve({ ...(isCancelled(signal) ? CANCELLED : outcome), ...unmeasured });
        };
        signal.addEventListener("abort", stop, { once: true });
        if (signal.aborted) stop();
        const { ref } = assignment;
        const job: HandlerJob = {
          id: ref.jobId,
          organizationId: ref.organizationId,
          attempt: ref.attempt,
          type: assignment.type,
          typeVersion: assignment.typeVersion,
          input: JSON.parse(assignment.input),
          creatorId: assignment.creatorId,
          runAs: assignment.runAs,
          labels: assignment.labels,
        };
        run(handler, job, contextOf(assignment, report, stopping.signal)).then(
          end,
          (thrown: unknown) => {
            end({ kind: "failed", error: thrownFailure(thrown) });
          },
        );
      }),
  });

  return new Map(
    Object.entries(handlers).map(([name, handler]) => [`handler:${name}`, executor(handler)]),
  );
};

type Outcome =
  | { readonly kind: "succeeded"; readonly result: string }
  | { readonly kind: "failed"; readonly error: Failure }
  | { readonly kind: "cancelled" };

const CANCELLED: Outcome = { kind: "cancelled" };

const isCancelled = (signal: AbortSignal): boolean =>
  signal.aborted && signal.reason instanceof AttemptStopped;

const run = async (handler: Handler, job: HandlerJob, ctx: HandlerContext): Promise<Outcome> => {
  const returned = await handler.execute(job, ctx);
  const result = jsonOf(returned);
  if (typeof result !== "string") return { kind: "failed", error: result };
  // Parsed again: what `toJSON` makes of a value is what is stored of it.
  if (!isNestedAtMost(JSON.parse(result), RESULT_DEPTH)) {
    const message = `the result is nested deeper than ${RESULT_DEPTH} levels`;
    return { kind: "failed", error: failure("result.not_serialisable", message) };
  }
  if (Buffer.byteLength(result) > RESULT_BYTES) {
    const error = failure("result.too_large", `the result is larger than ${RESULT_BYTES} bytes`);
    return { kind: "failed", error };
  }
  return { kind: "succeeded", result };
};

const jsonOf = (value: unknown): string | Failure => {
  if (value === undefined) return "null";
  try {
    // Undefined for a function or a symbol, whatever its type says.
    const text = JSON.stringify(value) as string | undefined;
    return text ?? failure("result.not_serialisable", `a ${typeof value} cannot be a result`);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return failure("result.not_serialisable", `the result is no JSON value: ${why}`);
  }
};

const contextOf = (
  { jobToken }: Pick<Assignment, "jobToken">,
  report: Report,
  signal: AbortSignal,
): HandlerContext => ({
  signal,
  jobToken,
  progress: (given) => {
    const progress = typeof given === "number" ? { fraction: given } : given;
    report.progress({ fraction: 0, message: "", currentStep: 0, totalSteps: 0, ...progress });
  },
  output: (text) => {
    report.output("STDOUT", text);
  },
  log: (text) => {
    report.output("LOG", text);
  },
});

const thrownFailure = (thrown: unknown): Failure => {
  if (!(thrown instanceof Error)) return failure("handler.threw", String(thrown));
  const retryable = "retryable" in thrown && thrown.retryable === false ? false : null;
  return failure("handler.threw", thrown.message, thrown.stack ?? "", retryable);
};
