import type { TypeContent, TypeDefaults } from "../../catalog/job-type.ts";
import {
  ConcurrencyPolicy,
  ConcurrencyPolicySchema,
  type RetryPolicy as WirePolicy,
} from "../../gen/millrace/v1/job_pb.ts";
import type { JobDefaults, JobTypeSpec } from "../../gen/millrace/v1/job_type_service_pb.ts";
import { type Capability, EXTERNAL, SCRIPT } from "../../jobs/ids.ts";
import type { JsonText } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "../../jobs/retry.ts";
import type { Faults } from "./faults.ts";
import { durationWithin, isKnown, numberWithin, text } from "./fields.ts";
import { checkLabels } from "./labels.ts";
import { checkRetryPolicy } from "./retry-policy.ts";
import { checkScript, checkTypeName, type Compiled } from "./work.ts";

/** What a JobTypeSpec says, checked but for the schema, which is not judged here. */
export type CheckedType = {
  readonly name: string;
  readonly maxRunning: number | null;
  readonly content: TypeContent;
};

type Work = Pick<TypeContent, "capability" | "script">;

const NO_WORK: Work = { capability: SCRIPT, script: null };

const named = (faults: Faults, kind: "handler" | "command", name: string, type: string): Work => ({
  ...NO_WORK,
  capability:
    `${kind}:${name === "" ? type : checkTypeName(faults, `${kind}.name`, name)}` as Capability,
});

const checkWork = (faults: Faults, { work, name }: JobTypeSpec, compile: Compiled): Work => {
  switch (work.case) {
    case "script":
      return { ...NO_WORK, script: checkScript(faults, work.value, compile) };
    case "handler":
    case "command":
      return named(faults, work.case, work.value.name, name);
    case "external":
      return { ...NO_WORK, capability: EXTERNAL };
    case undefined:
      faults.add("work", "is missing: give `script`, `handler`, `command` or `external`.");
      return NO_WORK;
  }
};

const inputSchema = (faults: Faults, { inputSchema: given }: JobTypeSpec): JsonText | null => {
  if (given === undefined) return null;
  const json = JSON.stringify(given);
  const bytes = Buffer.byteLength(json);
  if (bytes > LIMITS.schemaBytes) {
    const limit = LIMITS.schemaBytes;
    faults.add("input_schema", `must have at most ${limit} bytes as JSON; it has ${bytes}.`);
  }
  return json;
};

/** Only what was given: the rest is left to the standard of the day on which a job is submitted. */
const retryPolicy = (faults: Faults, given: WirePolicy | undefined): Partial<RetryPolicy> => {
  if (given === undefined) return {};
  const checked = checkRetryPolicy(faults, given, DEFAULT_RETRY_POLICY);
  return {
    ...(given.maxRetries === undefined ? {} : { maxRetries: checked.maxRetries }),
    ...(given.initialBackoff === undefined ? {} : { initialBackoffMs: checked.initialBackoffMs }),
    ...(given.maxBackoff === undefined ? {} : { maxBackoffMs: checked.maxBackoffMs }),
    ...(given.multiplier === undefined ? {} : { multiplier: checked.multiplier }),
    ...(given.jitter === undefined ? {} : { jitter: checked.jitter }),
  };
};

const policy = (faults: Faults, given: ConcurrencyPolicy): TypeDefaults["concurrencyPolicy"] => {
  if (!isKnown(ConcurrencyPolicySchema, given)) {
    faults.add("concurrency_policy", `must be QUEUE or REJECT; it is ${given}.`);
  }
  if (given === ConcurrencyPolicy.UNSPECIFIED) return null;
  return given === ConcurrencyPolicy.REJECT ? "REJECT" : "QUEUE";
};

const duration = (
  faults: Faults,
  field: string,
  value: JobDefaults["attemptTimeout"],
  range: { readonly min: number; readonly max: number },
): number | null =>
  value === undefined ? null : durationWithin(faults, field, value, range, range.min);

const checkDefaults = (faults: Faults, given: JobDefaults | undefined): TypeDefaults => ({
  priority:
    given?.priority === undefined
      ? null
      : numberWithin(faults, "priority", given.priority, LIMITS.priority),
  attemptTimeoutMs: duration(
    faults,
    "attempt_timeout",
    given?.attemptTimeout,
    LIMITS.attemptTimeoutMs,
  ),
  totalTimeoutMs: duration(faults, "total_timeout", given?.totalTimeout, LIMITS.totalTimeoutMs),
  retryPolicy: retryPolicy(faults, given?.retryPolicy),
  labels: checkLabels(faults, given?.labels ?? {}),
  concurrencyKey: text(
    faults,
    "concurrency_key",
    given?.concurrencyKey ?? "",
    LIMITS.concurrencyKeyLength,
  ),
  concurrencyPolicy: policy(faults, given?.concurrencyPolicy ?? ConcurrencyPolicy.UNSPECIFIED),
});

/** `faults` speaks of the fields of the spec. */
export const checkJobType = (faults: Faults, spec: JobTypeSpec, compile: Compiled): CheckedType => {
  const { max } = LIMITS.maxRunning;
  return {
    name: checkTypeName(faults, "name", spec.name),
    maxRunning:
      spec.maxRunning === undefined
        ? null
        : numberWithin(faults, "max_running", spec.maxRunning, { min: 1, max }),
    content: {
      description: text(faults, "description", spec.description, LIMITS.descriptionLength),
      ...checkWork(faults, spec, compile),
      inputSchema: inputSchema(faults, spec),
      defaults: checkDefaults(faults.inside("defaults."), spec.defaults),
    },
  };
};
