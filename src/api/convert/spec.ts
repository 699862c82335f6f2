import type { ScriptCompiler } from "../../catalog/script.ts";
import {
  type Callback,
  ConcurrencyPolicy,
  ConcurrencyPolicySchema,
  type JobSpec,
} from "../../gen/millrace/v1/job_pb.ts";
import type { JobRow, JsonText, Labels, Millis } from "../../jobs/job.ts";
import { DEFAULT_ATTEMPT_TIMEOUT_MS, LIMITS } from "../../jobs/limits.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "../../jobs/retry.ts";
import type { Faults } from "./faults.ts";
import { durationWithin, isKnown, keyed, moment, numberWithin, text } from "./fields.ts";
import { isNestedAtMost, plainOf } from "./json-value.ts";
import { checkWork, type Work } from "./work.ts";

/** What a JobSpec says, checked, with the defaults filled in. */
export type CheckedSpec = Pick<
  JobRow,
  | "name"
  | "typeVersion"
  | "priority"
  | "labels"
  | "concurrencyKey"
  | "concurrencyPolicy"
  | "attemptTimeoutMs"
  | "deadlineAt"
  | "retryPolicy"
  | "runAt"
> &
  Work & { readonly input: JsonText };

export type SpecContext = {
  readonly now: Millis;
  readonly compile: ScriptCompiler;
};

const LABEL_KEY = /^[A-Za-z0-9._/-]+$/;

const input = (faults: Faults, spec: JobSpec): JsonText => {
  try {
    const value = spec.input === undefined ? null : plainOf(spec.input);
    const json = JSON.stringify(value);
    const bytes = Buffer.byteLength(json);
    if (bytes > LIMITS.inputBytes) {
      faults.add("input", `must have at most ${LIMITS.inputBytes} bytes as JSON; it has ${bytes}.`);
    }
    if (!isNestedAtMost(value, LIMITS.jsonDepth)) {
      faults.add("input", `must be nested at most ${LIMITS.jsonDepth} levels deep; it is deeper.`);
    }
    return json;
  } catch (caught) {
    if (!(caught instanceof RangeError)) throw caught;
    faults.add("input", `is no JSON value: ${caught.message}.`);
    return "null";
  }
};

const labels = (faults: Faults, given: Readonly<Record<string, string>>): Labels => {
  const entries = Object.entries(given);
  if (entries.length > LIMITS.labels) {
    faults.add("labels", `must be at most ${LIMITS.labels}; there are ${entries.length}.`);
    return {};
  }
  for (const [key, value] of entries) {
    if (key.length > LIMITS.labelKeyLength || !LABEL_KEY.test(key)) {
      faults.add(
        keyed("labels", key),
        `is no key: keys are 1 to ${LIMITS.labelKeyLength} of A-Z a-z 0-9 . _ / -.`,
      );
    }
    text(faults, keyed("labels", key), value, LIMITS.labelValueLength);
  }
  return given;
};

const retryPolicy = (faults: Faults, { retryPolicy: given }: JobSpec): RetryPolicy => {
  const standard = DEFAULT_RETRY_POLICY;
  const within = faults.inside("retry_policy.");
  return {
    maxRetries: numberWithin(
      within,
      "max_retries",
      given?.maxRetries ?? standard.maxRetries,
      LIMITS.retries,
    ),
    initialBackoffMs: durationWithin(
      within,
      "initial_backoff",
      given?.initialBackoff,
      LIMITS.initialBackoffMs,
      standard.initialBackoffMs,
    ),
    maxBackoffMs: durationWithin(
      within,
      "max_backoff",
      given?.maxBackoff,
      LIMITS.maxBackoffMs,
      standard.maxBackoffMs,
    ),
    multiplier: numberWithin(
      within,
      "multiplier",
      given?.multiplier ?? standard.multiplier,
      LIMITS.multiplier,
    ),
    jitter: numberWithin(within, "jitter", given?.jitter ?? standard.jitter, LIMITS.jitter),
  };
};

const concurrency = (
  faults: Faults,
  spec: JobSpec,
): Pick<CheckedSpec, "concurrencyKey" | "concurrencyPolicy"> => {
  const { concurrencyKey: key, concurrencyPolicy: policy } = spec;
  if (!isKnown(ConcurrencyPolicySchema, policy)) {
    faults.add("concurrency_policy", `must be QUEUE or REJECT; it is ${policy}.`);
  }
  const rejects = policy === ConcurrencyPolicy.REJECT;
  if (rejects && key === "") faults.add("concurrency_key", "is missing: REJECT needs a key.");
  return {
    concurrencyKey: text(faults, "concurrency_key", key, LIMITS.concurrencyKeyLength),
    concurrencyPolicy: rejects ? "REJECT" : "QUEUE",
  };
};

const times = (
  faults: Faults,
  spec: JobSpec,
  now: Millis,
): Pick<CheckedSpec, "runAt" | "deadlineAt" | "attemptTimeoutMs"> => {
  const wanted = moment(faults, "run_at", spec.runAt) ?? now;
  if (wanted > now + LIMITS.runAtAheadMs) {
    faults.add(
      "run_at",
      `must be at most ${LIMITS.runAtAheadMs / 86_400_000} days ahead; it is ${new Date(wanted).toISOString()}.`,
    );
  }
  const runAt = Math.max(now, wanted);
  const total = durationWithin(
    faults,
    "total_timeout",
    spec.totalTimeout,
    LIMITS.totalTimeoutMs,
    0,
  );
  return {
    runAt,
    deadlineAt: spec.totalTimeout === undefined ? null : runAt + total,
    attemptTimeoutMs: durationWithin(
      faults,
      "attempt_timeout",
      spec.attemptTimeout,
      LIMITS.attemptTimeoutMs,
      DEFAULT_ATTEMPT_TIMEOUT_MS,
    ),
  };
};

/** What the contract names and this version does not do: refused, for ignoring it would be a lie. */
const refuseUnsupported = (
  faults: Faults,
  spec: { readonly typeVersion: number; readonly callback?: Callback | undefined },
): void => {
  if (spec.typeVersion < 0)
    faults.add("type_version", `must be 0 or more; it is ${spec.typeVersion}.`);
  if (spec.typeVersion > 0) faults.unsupported("type_version", "cannot be chosen yet: leave it 0.");
  if (spec.callback !== undefined)
    faults.unsupported("callback", "is not delivered yet: leave it out.");
};

/** `faults` speaks of the fields of the spec itself. */
export const checkSpec = (
  faults: Faults,
  spec: JobSpec,
  { now, compile }: SpecContext,
): CheckedSpec => {
  refuseUnsupported(faults, spec);
  return {
    ...checkWork(faults, spec, compile),
    ...times(faults, spec, now),
    ...concurrency(faults, spec),
    name: text(faults, "name", spec.name, LIMITS.nameLength),
    typeVersion: 0,
    priority: numberWithin(faults, "priority", spec.priority, LIMITS.priority),
    labels: labels(faults, spec.labels),
    retryPolicy: retryPolicy(faults, spec),
    input: input(faults, spec),
  };
};
