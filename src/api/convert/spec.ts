import { NO_DEFAULTS, type TypeDefaults } from "../../catalog/job-type.ts";
import {
  ConcurrencyPolicy,
  ConcurrencyPolicySchema,
  type JobSpec,
} from "../../gen/millrace/v1/job_pb.ts";
import type { JobRow, JsonText, Millis } from "../../jobs/job.ts";
import { DEFAULT_ATTEMPT_TIMEOUT_MS, LIMITS } from "../../jobs/limits.ts";
import { DEFAULT_RETRY_POLICY } from "../../jobs/retry.ts";
import type { Receivers } from "../../outgoing/receivers.ts";
import type { Faults } from "./faults.ts";
import { durationWithin, isKnown, moment, numberWithin, text } from "./fields.ts";
import { checkInput } from "./input.ts";
import { checkLabels } from "./labels.ts";
import { checkReceiver } from "./receiver.ts";
import { checkRetryPolicy } from "./retry-policy.ts";
import type { TypedWork } from "./typed-work.ts";
import { checkWork, type Compiled, type Work } from "./work.ts";

/** What a JobSpec says, checked, with the defaults filled in. */
export type CheckedSpec = Pick<
  JobRow,
  | "name"
  | "priority"
  | "labels"
  | "concurrencyKey"
  | "concurrencyPolicy"
  | "attemptTimeoutMs"
  | "deadlineAt"
  | "retryPolicy"
  | "runAt"
  | "callbackUrl"
> &
  Work & { readonly input: JsonText };

export type SpecContext = {
  readonly now: Millis;
  readonly compile: Compiled;
  /** What the catalog knows of the type that the spec names; null for a script. */
  readonly typed: TypedWork | null;
  /** Who may be told of the end of a job. */
  readonly receivers: Receivers;
};

/** A type's REJECT is for those submissions that have a key. */
const concurrency = (
  faults: Faults,
  spec: JobSpec,
  defaults: TypeDefaults,
): Pick<CheckedSpec, "concurrencyKey" | "concurrencyPolicy"> => {
  const { concurrencyPolicy: policy } = spec;
  const key = spec.concurrencyKey === "" ? defaults.concurrencyKey : spec.concurrencyKey;
  if (!isKnown(ConcurrencyPolicySchema, policy)) {
    faults.add("concurrency_policy", `must be QUEUE or REJECT; it is ${policy}.`);
  }
  const rejects = policy === ConcurrencyPolicy.REJECT;
  if (rejects && key === "") faults.add("concurrency_key", "is missing: REJECT needs a key.");
  const isOpen = policy === ConcurrencyPolicy.UNSPECIFIED;
  const standard = key !== "" && isOpen ? defaults.concurrencyPolicy : null;
  return {
    concurrencyKey: text(faults, "concurrency_key", key, LIMITS.concurrencyKeyLength),
    concurrencyPolicy: rejects ? "REJECT" : (standard ?? "QUEUE"),
  };
};

const times = (
  faults: Faults,
  spec: JobSpec,
  now: Millis,
  defaults: TypeDefaults,
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
    defaults.totalTimeoutMs ?? Number.POSITIVE_INFINITY,
  );
  return {
    runAt,
    deadlineAt: Number.isFinite(total) ? runAt + total : null,
    attemptTimeoutMs: durationWithin(
      faults,
      "attempt_timeout",
      spec.attemptTimeout,
      LIMITS.attemptTimeoutMs,
      defaults.attemptTimeoutMs ?? DEFAULT_ATTEMPT_TIMEOUT_MS,
    ),
  };
};

/** 0 cannot be told from nothing: it takes the priority of the type. */
const priority = (faults: Faults, given: number, { priority: standard }: TypeDefaults): number =>
  given === 0 && standard !== null
    ? standard
    : numberWithin(faults, "priority", given, LIMITS.priority);

/** `faults` speaks of the fields of the spec itself. */
export const checkSpec = (
  faults: Faults,
  spec: JobSpec,
  { now, compile, typed, receivers }: SpecContext,
): CheckedSpec => {
  const defaults = typed?.type.defaults ?? NO_DEFAULTS;
  return {
    ...checkWork(faults, spec, compile, typed?.type ?? null),
    ...times(faults, spec, now, defaults),
    ...concurrency(faults, spec, defaults),
    name: text(faults, "name", spec.name, LIMITS.nameLength),
    priority: priority(faults, spec.priority, defaults),
    labels: checkLabels(faults, spec.labels, defaults.labels),
    retryPolicy: checkRetryPolicy(faults, spec.retryPolicy, {
      ...DEFAULT_RETRY_POLICY,
      ...defaults.retryPolicy,
    }),
    input: typed?.input?.text ?? checkInput(faults, spec.input),
    callbackUrl:
      spec.callback === undefined
        ? ""
        : checkReceiver(faults, "callback.url", spec.callback.url, receivers),
  };
};
