import type { Capability, OrganizationId, ScriptHash, UserId } from "../../jobs/ids.ts";
import type { DatabaseRow } from "../engine.ts";
import type { JobTypeRow, JobTypeVersionRow } from "../store.ts";
import { numberOf, numberOrNull, textOf, textOrNull } from "./column.ts";

export const jobTypeOf = (row: DatabaseRow): JobTypeRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  name: textOf(row, "name"),
  version: numberOf(row, "version"),
  enabled: numberOf(row, "enabled") === 1,
  maxRunning: numberOrNull(row, "max_running"),
  createdAt: numberOf(row, "created_at"),
  changedAt: numberOf(row, "changed_at"),
});

export const columnsOfJobType = (type: JobTypeRow) => ({
  organization_id: type.organizationId,
  name: type.name,
  version: type.version,
  enabled: type.enabled ? 1 : 0,
  max_running: type.maxRunning,
  created_at: type.createdAt,
  changed_at: type.changedAt,
});

export const jobTypeVersionOf = (row: DatabaseRow): JobTypeVersionRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  name: textOf(row, "name"),
  version: numberOf(row, "version"),
  fingerprint: textOf(row, "fingerprint"),
  description: textOf(row, "description"),
  capability: textOf(row, "capability") as Capability,
  scriptHash: textOf(row, "script_hash") as ScriptHash | "",
  inputSchema: "input_schema" in row ? textOrNull(row, "input_schema") : null,
  defaults: textOf(row, "defaults"),
  createdBy: textOf(row, "created_by") as UserId | "",
  createdAt: numberOf(row, "created_at"),
});

export const columnsOfJobTypeVersion = (version: JobTypeVersionRow) => ({
  organization_id: version.organizationId,
  name: version.name,
  version: version.version,
  fingerprint: version.fingerprint,
  description: version.description,
  capability: version.capability,
  script_hash: version.scriptHash,
  input_schema: version.inputSchema,
  defaults: version.defaults,
  created_by: version.createdBy,
  created_at: version.createdAt,
});
