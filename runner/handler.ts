import type { StandardSchemaV1 } from "@standard-schema/spec";

/** What JSON can hold. A property that is undefined is left out. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/** One job, as its handler is given it. */
export type Job<Input = unknown> = {
  readonly id: string;
  readonly organizationId: string;
  /** Counts from 1: with each retry one more. */
  readonly attempt: number;
  /** The job type. */
  readonly type: string;
  /** With which the job was submitted: it may be older than the newest. */
  readonly typeVersion: number;
  /** What the handler's schema made of it. */
  readonly input: Input;
  /** Who submitted the job. */
  readonly creatorId: string;
  /** For whom it acts. */
  readonly runAs: string;
  readonly labels: Readonly<Record<string, string>>;
  /** W3C Trace Context of the submission. Empty if there was none. */
  readonly traceparent: string;
};

/** How far the work has come. What is left out stays as it was. It never goes back. */
export type Progress = {
  /** 0.0 to 1.0. Without it, `done` of `total` counts, within the current step if there are steps. */
  readonly fraction?: number;
  readonly done?: number;
  readonly total?: number;
  /** The current step, from 1, and how many there are. */
  readonly step?: number;
  readonly steps?: number;
  /** At most 500 characters. */
  readonly message?: string;
};

/**
 * A job to be submitted: a `JobSpec` of the contract in its JSON form. `type` or `script` is needed.
 * Durations are texts such as `30s`, times are RFC 3339.
 */
export type ChildJob = {
  /** The name of a registered type. */
  readonly type?: string;
  /** The newest, if absent. */
  readonly typeVersion?: number;
  readonly script?: {
    readonly source: string;
    readonly language?: "SCRIPT_LANGUAGE_JAVASCRIPT" | "SCRIPT_LANGUAGE_TYPESCRIPT";
  };
  /** At most 1 MiB. */
  readonly input?: Json;
  readonly name?: string;
  /** -100 to 100. */
  readonly priority?: number;
  readonly runAt?: string;
  readonly attemptTimeout?: string;
  readonly totalTimeout?: string;
  readonly retryPolicy?: {
    readonly maxRetries?: number;
    readonly initialBackoff?: string;
    readonly maxBackoff?: string;
    readonly multiplier?: number;
    readonly jitter?: number;
  };
  readonly labels?: Readonly<Record<string, string>>;
  readonly concurrencyKey?: string;
  readonly callback?: { readonly url: string };
};

/** The second argument of a handler. Once the attempt has ended nothing of it has an effect. */
export type HandlerContext = {
  /**
   * Aborts when the job is cancelled or given to another runner (`AbortError`), and when nine tenths
   * of the attempt's time are over (`TimeoutError`).
   */
  readonly signal: AbortSignal;
  /** A bearer token that speaks for the operational user until the attempt has ended. */
  readonly jobToken: string;
  /** Says how far the work has come: a fraction from 0.0 to 1.0, or more about it. */
  progress(progress: number | Progress): void;
  /** Writes text to the job's output, one row for each line. */
  output(text: string): void;
  /** Writes values to the job's output, as console.log would, as rows of its log. */
  log(...values: readonly unknown[]): void;
  /**
   * Runs `run` once for all attempts of the job: its JSON result is durable when the promise
   * resolves, and a later attempt takes it instead of running. Names are unique within the job.
   */
  step<Result extends Json | void>(
    name: string,
    run: () => Result | Promise<Result>,
  ): Promise<Result>;
  /**
   * Submits a job of this one's own, for the user that this one acts for; resolves with its id. The
   * name counts once for all attempts: whoever comes with it again gets the first job. It is cancelled
   * with this one. Rejects with a JobError `child.refused`.
   */
  submit(name: string, job: ChildJob): Promise<string>;
  /**
   * The result of a job that `submit` has submitted, once it has succeeded. Meanwhile this job counts
   * towards no limit but its concurrency key. Rejects with a JobError `child.failed` or
   * `child.cancelled`.
   */
  waitFor<Result extends Json = Json>(jobId: string): Promise<Result>;
  /** Waits. Rejects with the signal's reason when that aborts. */
  sleep(ms: number): Promise<void>;
};

/**
 * Trusted code of an application, which runs in its own process. What it returns is the job's
 * result, as JSON; what it throws fails the attempt, for good if the error says `retryable: false`.
 */
export type Handler<
  Input = unknown,
  Result extends Json | void = Json | void,
  /** What may be submitted: what the schema takes, before it makes an `Input` of it. */
  Submitted = unknown,
> = {
  /**
   * Any Standard Schema (zod, valibot, arktype, …). An input that does not fit it fails the job for
   * good, with `input.invalid`. Without a schema the input is whatever was submitted.
   */
  readonly input?: StandardSchemaV1<Submitted, Input>;
  execute(job: Job<Input>, ctx: HandlerContext): Result | Promise<Result>;
};

/** The same handler, with its types: for handlers that stand in files of their own. */
export const defineHandler = <Input, Result extends Json | void = Json | void, Submitted = unknown>(
  handler: Handler<Input, Result, Submitted>,
): Handler<Input, Result, Submitted> => handler;

/** What may be submitted to a handler. */
export type InputOf<H> =
  H extends Handler<infer _Input, infer _Result, infer Submitted> ? Submitted : never;

/** What a handler's jobs come to. */
export type ResultOf<H> = H extends Handler<infer _Input, infer Result> ? Result : never;

const CODE = /^[a-z][a-z0-9_]{0,49}(\.[a-z0-9_]{1,49})+$/;
const LONGEST_CODE = 100;

/** A failure with a code of the application's own, such as `mail.rejected`. */
export class JobError extends Error {
  override readonly name = "JobError";
  readonly code: string;
  /** False if another attempt cannot help. */
  readonly retryable: boolean;

  /** @throws TypeError for a code that is not of small letters, digits and `_`, in parts with dots */
  constructor(
    code: string,
    message: string,
    options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    if (code.length > LONGEST_CODE || !CODE.test(code)) {
      throw new TypeError(`"${code}" is no code of a failure: it must be like "mail.rejected"`);
    }
    this.code = code;
    this.retryable = options.retryable ?? true;
  }
}
