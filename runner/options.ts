import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";

import type { Log } from "../src/runtime/log.ts";
import type { Handler } from "./handler.ts";

/** How one attempt ended, for the application's own logs, metrics or error tracker. */
export type AttemptEnd = {
  /** The handler's name. */
  readonly handler: string;
  readonly jobId: string;
  readonly organizationId: string;
  readonly attempt: number;
  readonly outcome: "succeeded" | "failed" | "cancelled";
  /** Of the failure; empty if there is none. */
  readonly code: string;
  /** How long it ran, in milliseconds. */
  readonly runMs: number;
  /** What the handler threw, if that was why it failed. */
  readonly error: unknown;
};

export type RunnerOptions<Inputs = Readonly<Record<string, unknown>>> = {
  /** The internal listener of any server, such as `http://127.0.0.1:7411`. It names the others. */
  readonly url: string;
  /** A runner's token; `millrace token create --runner` makes one. */
  readonly credential: string | undefined;
  /** By name: 1 to 100 of `A-Z a-z 0-9 . _ -`. At least one, at most 1,000. */
  readonly handlers: { readonly [Name in keyof Inputs]: Handler<Inputs[Name]> };
  /** Attempts at once, 1 to 10,000. Eight times the CPUs if absent. */
  readonly slots?: number;
  /** How long running attempts may go on after `stop`; 30 if absent. */
  readonly drainSeconds?: number;
  /** How long a handler may tidy up after a cancellation before its attempt ends without it; 10 if absent. */
  readonly graceSeconds?: number;
  /** For people: where this runner runs, at most 100 characters. Host name and process if absent. */
  readonly displayName?: string;
  /** What pino makes will do. If absent, warnings and errors go to standard error, a line each. */
  readonly log?: Log;
  /** Called when an attempt has ended, before its end is reported. */
  readonly onAttemptEnd?: (end: AttemptEnd) => void;
};

/** What is wrong with the options: the path of each fault, and what is allowed. */
export class RunnerOptionsFault extends TypeError {
  override readonly name = "RunnerOptionsFault";
}

const MOST_HANDLERS = 1_000;
const NAME = /^[A-Za-z0-9._-]{1,100}$/;

const isFunction = (value: unknown): boolean => typeof value === "function";

const isSchema = (value: unknown): boolean => {
  // arktype's schemas are functions.
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchemaV1>)["~standard"];
  return standard?.version === 1 && isFunction(standard.validate);
};

const aFunction = z.custom(isFunction, "must be a function");

const handler = z.strictObject(
  {
    input: z.custom(isSchema, "must be a Standard Schema").optional(),
    execute: aFunction,
  },
  { error: (issue) => (issue.code === "invalid_type" ? "must be { input, execute }" : undefined) },
);

const handlers = z.record(z.string(), handler).superRefine((given, context) => {
  const names = Object.keys(given);
  if (names.length === 0 || names.length > MOST_HANDLERS) {
    const message = `must be 1 to ${MOST_HANDLERS} handlers; there are ${names.length}`;
    context.addIssue({ code: "custom", message });
  }
  for (const name of names.filter((one) => !NAME.test(one))) {
    const message = `"${name}" is no name of a handler: 1 to 100 of A-Z a-z 0-9 . _ - are allowed`;
    context.addIssue({ code: "custom", message });
  }
});

const schema = z.strictObject({
  url: z.url({
    protocol: /^https?$/,
    error: "must be the http or https URL of a server's internal listener",
  }),
  credential: z
    .string("is missing: a runner's token is needed (`millrace token create --runner`)")
    .min(1, "is empty: a runner's token is needed (`millrace token create --runner`)"),
  handlers,
  slots: z.int().min(1).max(10_000).optional(),
  drainSeconds: z.number().min(0).max(86_400).optional(),
  graceSeconds: z.number().min(0).max(86_400).optional(),
  displayName: z.string().max(100).optional(),
  log: z
    .looseObject({ debug: aFunction, info: aFunction, warn: aFunction, error: aFunction })
    .optional(),
  onAttemptEnd: aFunction.optional(),
});

/** @throws RunnerOptionsFault */
export const checkOptions = (options: unknown): void => {
  const { error } = schema.safeParse(options);
  if (error !== undefined) {
    throw new RunnerOptionsFault(`createRunner:\n${z.prettifyError(error)}`);
  }
};
