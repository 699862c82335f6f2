import type { JobId, OrganizationId, ScriptHash } from "../../jobs/ids.ts";
import type { SpecRow } from "../../jobs/job.ts";
import type { DatabaseRow } from "../engine.ts";
import { binding, textOf, textOrNull } from "./column.ts";

export const INSERT_SPEC = binding<SpecRow>(
  "job_specs",
  "insert",
  [
    ["organization_id", (spec) => spec.organizationId],
    ["job_id", (spec) => spec.id],
  ],
  [
    ["input", (spec) => spec.input],
    ["script_hash", (spec) => spec.scriptHash],
    ["bindings", (spec) => (spec.bindings === "" ? null : spec.bindings)],
    ["traceparent", (spec) => spec.traceparent],
    ["request_id", (spec) => spec.requestId],
  ],
);

export const specOf = (row: DatabaseRow): SpecRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  id: textOf(row, "job_id") as JobId,
  input: textOf(row, "input"),
  scriptHash: textOf(row, "script_hash") as ScriptHash | "",
  bindings: textOrNull(row, "bindings") ?? "",
  traceparent: textOf(row, "traceparent"),
  requestId: textOf(row, "request_id"),
});
