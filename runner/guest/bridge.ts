import {
  defineHidden,
  deleteProperty,
  GuestError,
  GuestTypeError,
  GuestWeakMap,
  weakGet,
  weakSet,
} from "./primordials.ts";

/**
 * The mailbox to the host: one function that posts primitives and never answers. It is taken from
 * the global object before a script exists, and lives in this closure only.
 */
type Primitive = string | number;
type Post = (operation: string, ...facts: readonly Primitive[]) => void;

const borrowed = globalThis as { millracePost?: Post };
const hostPost = borrowed.millracePost as Post;
deleteProperty(borrowed, "millracePost");

/** Posts that the host has had no chance to take: a flood must not starve the host's own loop. */
const MOST_UNTAKEN = 5_000;
let untaken = 0;

/** What an attempt may ask of the host. Payloads are counted as characters of JSON. */
export type CallLimits = {
  readonly total: number;
  readonly atOnce: number;
  readonly payload: number;
  readonly payloads: number;
};

/** What is fixed for one attempt. The host sets it before the script's module is evaluated. */
export type Attempt = {
  readonly jobId: string;
  readonly attempt: number;
  readonly fileName: string;
  readonly outputLines: number;
  readonly outputChars: number;
  readonly lineChars: number;
  readonly timers: number;
  readonly calls: CallLimits;
  readonly resultBytes: number;
  /** 32 bytes as base64url, of this attempt alone. */
  readonly entropy: string;
  /** Placeholders, by the names of the secrets. */
  readonly secrets: Readonly<Record<string, string>>;
};

const codes = new GuestWeakMap<object, string>();

/** `error` keeps its failure code even when the script rethrows it. */
export const withCode = <E extends object>(error: E, code: string): E => {
  weakSet(codes, error, code);
  return error;
};

/** A script that catches it finds the failure code in `code`. */
export const codedError = (code: string, message: string, name = "Error"): Error => {
  const error = name === "TypeError" ? new GuestTypeError(message) : new GuestError(message);
  if (error.name !== name) defineHidden(error, "name", name);
  defineHidden(error, "code", code);
  return withCode(error, code);
};

export const codeOf = (error: object): string | undefined =>
  weakGet(codes, error) as string | undefined;

export const post: Post = (operation, first = "", second = "", third = "", fourth = "") => {
  untaken += 1;
  if (untaken > MOST_UNTAKEN) throw codedError("quota.host_calls", "too many calls at once");
  hostPost(operation, first, second, third, fourth);
};

/** For what is rare by itself, and must arrive whatever was posted before: progress and the end. */
export const postAnyway: Post = (operation, first = "", second = "", third = "", fourth = "") => {
  hostPost(operation, first, second, third, fourth);
};

/** The host came back to us, so it has taken what was posted. */
export const taken = (): void => {
  untaken = 0;
};
