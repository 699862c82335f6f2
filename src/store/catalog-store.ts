/** What the store knows of job types and schedules. */
import type { AuditRow } from "../jobs/audit.ts";
import type { BreakerRow } from "../jobs/breaker.ts";
import type { Capability, OrganizationId, ScriptHash, UserId } from "../jobs/ids.ts";
import type { JsonText, Millis, ScriptRow } from "../jobs/job.ts";
import type { ScheduleRow } from "../jobs/schedule.ts";
import type { PageOf } from "./identity-store.ts";
import type { Place, ShardId } from "./store.ts";

/** A type by its name. */
export type JobTypeRow = {
  readonly organizationId: OrganizationId;
  readonly name: string;
  /** The newest version. */
  readonly version: number;
  readonly enabled: boolean;
  /** At most so many of its jobs run at once; null: no limit of its own. */
  readonly maxRunning: number | null;
  readonly createdAt: Millis;
  readonly changedAt: Millis;
};

/** What a type runs, from one version to the next. Written once. */
export type JobTypeVersionRow = {
  readonly organizationId: OrganizationId;
  readonly name: string;
  /** Counts from 1. */
  readonly version: number;
  /** SHA-256 over the content, in hex: the same content makes no new version. */
  readonly fingerprint: string;
  readonly description: string;
  readonly capability: Capability;
  /** With the capability `script`. */
  readonly scriptHash: ScriptHash | "";
  /** A JSON Schema 2020-12; null takes every input. */
  readonly inputSchema: JsonText | null;
  /** What a submission may leave out, as a JSON object (catalog/job-type.ts). */
  readonly defaults: JsonText;
  readonly createdBy: UserId | "";
  readonly createdAt: Millis;
};

export interface CatalogStore {
  find(
    organizationId: OrganizationId,
    name: string,
  ): Promise<{ readonly type: JobTypeRow; readonly version: JobTypeVersionRow } | null>;
  findVersion(
    organizationId: OrganizationId,
    name: string,
    version: number,
  ): Promise<JobTypeVersionRow | null>;
  /** The newest versions of these types, without their schemas; in no order. */
  newest(
    organizationId: OrganizationId,
    types: readonly Pick<JobTypeRow, "name" | "version">[],
  ): Promise<JobTypeVersionRow[]>;
  /** By name. */
  list(organizationId: OrganizationId, page: PageOf<string>): Promise<JobTypeRow[]>;
  /** Newest first, without their schemas. */
  versions(
    organizationId: OrganizationId,
    name: string,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<JobTypeVersionRow[]>;
  /**
   * Writes the type with the version and the script, if there are any, and the line of the audit
   * log, in one transaction; false, and nothing written, if the newest version is not the one
   * before. Whether a known type is enabled stays as it is. The organization counts as changed.
   */
  put(
    shardId: ShardId,
    change: {
      readonly type: JobTypeRow;
      /** Null if nothing but the type's own limit changes. */
      readonly version: JobTypeVersionRow | null;
      readonly script: ScriptRow | null;
      readonly audit: AuditRow;
    },
  ): Promise<boolean>;
  /** False if there is no such type. The organization counts as changed. */
  setEnabled(
    shardId: ShardId,
    type: Pick<JobTypeRow, "organizationId" | "name" | "enabled" | "changedAt">,
    audit: AuditRow,
  ): Promise<boolean>;
  /** Of these types; there is none for a type that did not crash lately. */
  breakers(place: Place, types: readonly string[]): Promise<BreakerRow[]>;
}

export interface ScheduleStore {
  find(place: Place, id: string): Promise<ScheduleRow | null>;
  /** By id; only of this creator or operational user, if one is named. */
  list(place: Place, visibleTo: UserId | null, page: PageOf<string>): Promise<ScheduleRow[]>;
  /** Of the organization. */
  count(place: Place): Promise<number>;
  /** Of these shards, whose time has come, the longest overdue first. */
  due(shardIds: readonly ShardId[], now: Millis, limit: number): Promise<ScheduleRow[]>;
}
