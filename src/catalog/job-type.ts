import { createHash } from "node:crypto";

import { canonicalJson } from "../jobs/canonical-json.ts";
import type { Capability, ScriptHash } from "../jobs/ids.ts";
import type { ConcurrencyPolicy, JsonText, Labels, Millis, ScriptRow } from "../jobs/job.ts";
import { LIMITS } from "../jobs/limits.ts";
import type { RetryPolicy } from "../jobs/retry.ts";
import type { JobTypeRow, JobTypeVersionRow } from "../store/store.ts";

/** What a submission may leave out. What a type does not say is null or empty. */
export type TypeDefaults = {
  readonly priority: number | null;
  readonly attemptTimeoutMs: Millis | null;
  readonly totalTimeoutMs: Millis | null;
  /** Field by field: a submission that sets one of them takes the others from here. */
  readonly retryPolicy: Partial<RetryPolicy>;
  readonly labels: Labels;
  readonly concurrencyKey: string;
  readonly concurrencyPolicy: ConcurrencyPolicy | null;
};

export const NO_DEFAULTS: TypeDefaults = {
  priority: null,
  attemptTimeoutMs: null,
  totalTimeoutMs: null,
  retryPolicy: {},
  labels: {},
  concurrencyKey: "",
  concurrencyPolicy: null,
};

/** What one version of a type says, checked. */
export type TypeContent = {
  readonly description: string;
  readonly capability: Capability;
  /** With the capability `script`; null otherwise. */
  readonly script: Pick<ScriptRow, "hash" | "language" | "source" | "code"> | null;
  /** Null takes every input. */
  readonly inputSchema: JsonText | null;
  readonly defaults: TypeDefaults;
};

/** A version as submissions need it. */
export type KnownType = {
  readonly name: string;
  readonly version: number;
  readonly enabled: boolean;
  readonly capability: Capability;
  readonly scriptHash: ScriptHash | "";
  readonly inputSchema: JsonText | null;
  readonly defaults: TypeDefaults;
};

const NAME = /^[A-Za-z0-9._-]+$/;

/** 1 to 100 of `A-Z a-z 0-9 . _ -`: also the names of handlers and commands. */
export const isTypeName = (text: string): boolean =>
  text.length <= LIMITS.typeLength && NAME.test(text);

/** SHA-256 over what makes a version, in hex. The order of keys makes no difference. */
export const fingerprintOf = (content: TypeContent): string => {
  const { description, capability, script, inputSchema, defaults } = content;
  const schema: unknown = inputSchema === null ? null : JSON.parse(inputSchema);
  const parts = { description, capability, script: script?.hash ?? "", schema, defaults };
  return createHash("sha256").update(canonicalJson(parts)).digest("hex");
};

/** A version that was written before a default was known says nothing of it. */
export const defaultsOf = ({ defaults }: Pick<JobTypeVersionRow, "defaults">): TypeDefaults => ({
  ...NO_DEFAULTS,
  ...(JSON.parse(defaults) as Partial<TypeDefaults>),
});

export const knownType = (
  { enabled }: Pick<JobTypeRow, "enabled">,
  version: JobTypeVersionRow,
): KnownType => ({
  name: version.name,
  version: version.version,
  enabled,
  capability: version.capability,
  scriptHash: version.scriptHash,
  inputSchema: version.inputSchema,
  defaults: defaultsOf(version),
});
