import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";

import { defaultsOf, type TypeDefaults } from "../../catalog/job-type.ts";
import { ConcurrencyPolicy, ScriptLanguage } from "../../gen/millrace/v1/job_pb.ts";
import type {
  CircuitBreakerSchema,
  JobDefaultsSchema,
  JobTypeSchema,
  JobTypeSpecSchema,
} from "../../gen/millrace/v1/job_type_service_pb.ts";
import type { BreakerRow } from "../../jobs/breaker.ts";
import { EXTERNAL, SCRIPT } from "../../jobs/ids.ts";
import type { ScriptRow } from "../../jobs/job.ts";
import type { JobTypeRow, JobTypeVersionRow } from "../../store/store.ts";

/** How much of a version is told. */
export type Detail =
  /** Without the script and the schema. */
  | { readonly kind: "brief" }
  /** `script` is null for a type that has none. */
  | { readonly kind: "full"; readonly script: Pick<ScriptRow, "source" | "language"> | null };

type Spec = MessageInitShape<typeof JobTypeSpecSchema>;
type Work = NonNullable<Spec["work"]>;

const toWork = ({ capability }: JobTypeVersionRow, detail: Detail): Work => {
  if (capability === EXTERNAL) return { case: "external", value: {} };
  if (capability === SCRIPT) {
    const script = detail.kind === "full" ? detail.script : null;
    if (script === null) return { case: "script", value: {} };
    const { source, language } = script;
    return { case: "script", value: { source, language: ScriptLanguage[language] } };
  }
  const [kind, name = ""] = capability.split(":", 2);
  return { case: kind === "command" ? "command" : "handler", value: { name } };
};

const orAbsent = <T>(value: number | null | undefined, wire: (value: number) => T) =>
  value === null || value === undefined ? undefined : wire(value);

const present = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };

const toDefaults = (defaults: TypeDefaults): MessageInitShape<typeof JobDefaultsSchema> => {
  const { retryPolicy: retry, labels, concurrencyKey, concurrencyPolicy: policy } = defaults;
  const { maxRetries, multiplier, jitter } = retry;
  const retryPolicy = present({
    maxRetries,
    initialBackoff: orAbsent(retry.initialBackoffMs, durationFromMs),
    maxBackoff: orAbsent(retry.maxBackoffMs, durationFromMs),
    multiplier,
    jitter,
  });
  return {
    ...present({
      priority: defaults.priority ?? undefined,
      attemptTimeout: orAbsent(defaults.attemptTimeoutMs, durationFromMs),
      totalTimeout: orAbsent(defaults.totalTimeoutMs, durationFromMs),
    }),
    ...(Object.keys(retryPolicy).length === 0 ? {} : { retryPolicy }),
    labels: { ...labels },
    concurrencyKey,
    concurrencyPolicy: ConcurrencyPolicy[policy ?? "UNSPECIFIED"],
  };
};

const toBreaker = (breaker: BreakerRow): MessageInitShape<typeof CircuitBreakerSchema> => ({
  open: breaker.openedAt !== null,
  failures: breaker.failures,
  reason: breaker.reason,
  ...present({
    openTime: orAbsent(breaker.openedAt, timestampFromMs),
    retryTime: orAbsent(breaker.retryAt, timestampFromMs),
  }),
});

/** A version of a type, with what belongs to the type as a whole. */
export const toJobType = (
  type: JobTypeRow,
  version: JobTypeVersionRow,
  breaker: BreakerRow | undefined,
  detail: Detail,
): MessageInitShape<typeof JobTypeSchema> => {
  const { inputSchema } = version;
  const full = detail.kind === "full" && inputSchema !== null;
  return {
    spec: {
      name: type.name,
      description: version.description,
      work: toWork(version, detail),
      ...(full ? { inputSchema: JSON.parse(inputSchema) as JsonObject } : {}),
      defaults: toDefaults(defaultsOf(version)),
      ...(type.maxRunning === null ? {} : { maxRunning: type.maxRunning }),
    },
    version: version.version,
    newestVersion: type.version,
    enabled: type.enabled,
    ...(breaker === undefined ? {} : { circuitBreaker: toBreaker(breaker) }),
    createdBy: version.createdBy,
    createTime: timestampFromMs(version.createdAt),
    scriptHash: version.scriptHash,
  };
};
