import { LRUCache } from "lru-cache";

import type { Actor, AuditAction, AuditRow } from "../jobs/audit.ts";
import { JobFault } from "../jobs/errors.ts";
import type { OrganizationId } from "../jobs/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { CatalogStore, JobTypeRow, JobTypeVersionRow, Place } from "../store/store.ts";
import { fingerprintOf, knownType, type KnownType, type TypeContent } from "./job-type.ts";

/**
 * The job types of all organizations, as this server knows them. What it read of a type it keeps for
 * 5 s, so that a busy type costs no read per submission: for so long another server may still take
 * jobs of what was changed here. A change made here is seen here at once.
 */
const REMEMBER_MS = 5_000;
const REMEMBERED = 10_000;
/** Characters of schemas and defaults in memory. */
const REMEMBERED_CHARACTERS = 32 * 1_048_576;
const BASE_CHARACTERS = 500;
/** Each try fails only if somebody else put a version in between. */
const MAX_TRIES = 20;

export type TypeHead = { readonly type: JobTypeRow; readonly version: JobTypeVersionRow };

/** What is asked for by name; version 0 is the newest. */
export type TypeRef = { readonly name: string; readonly version: number };

export type PutRequest = {
  readonly name: string;
  readonly content: TypeContent;
  readonly maxRunning: number | null;
  readonly by: Actor;
  /** Tell what would come of it, and change nothing. */
  readonly validateOnly: boolean;
};

export type PutOutcome = TypeHead & { readonly createdVersion: boolean };

export type JobTypes = {
  /** For submissions: at most 5 s old. @throws JobFault JOB_TYPE_NOT_FOUND */
  known(organizationId: OrganizationId, ref: TypeRef): Promise<KnownType>;
  /** As the database has it now. @throws JobFault JOB_TYPE_NOT_FOUND */
  find(organizationId: OrganizationId, ref: TypeRef): Promise<TypeHead>;
  put(place: Place, request: PutRequest): Promise<PutOutcome>;
  /** @throws JobFault JOB_TYPE_NOT_FOUND */
  setEnabled(place: Place, name: string, enabled: boolean, by: Actor): Promise<TypeHead>;
};

export type JobTypesOptions = {
  readonly catalog: CatalogStore;
  readonly clock: Clock;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  /** Tells the owner of the organization's shard that limits have changed; never throws. */
  readonly changed: (organizationId: OrganizationId) => Promise<void>;
};

/** In the same words whether it belongs to somebody else or to nobody. */
export const typeNotFound = ({ name, version }: TypeRef): JobFault =>
  new JobFault(
    "JOB_TYPE_NOT_FOUND",
    version === 0
      ? `There is no job type ${name}.`
      : `There is no version ${version} of a job type ${name}.`,
    { metadata: { type: name, ...(version === 0 ? {} : { version: `${version}` }) } },
  );

type Remembered = { readonly readAt: number; readonly known: Promise<KnownType> };

export const createJobTypes = ({ catalog, clock, newId, changed }: JobTypesOptions): JobTypes => {
  const remembered = new LRUCache<string, Remembered>({
    max: REMEMBERED,
    maxSize: REMEMBERED_CHARACTERS,
  });
  /** Which entries are of one type: all go when it changes. */
  const entryOf = (organizationId: OrganizationId, { name, version }: TypeRef): string =>
    `${organizationId}\0${name}\0${version}`;

  const find: JobTypes["find"] = async (organizationId, ref) => {
    const head = await catalog.find(organizationId, ref.name);
    if (head === null) throw typeNotFound(ref);
    if (ref.version === 0 || ref.version === head.version.version) return head;
    const version = await catalog.findVersion(organizationId, ref.name, ref.version);
    if (version === null) throw typeNotFound(ref);
    return { type: head.type, version };
  };

  const read = async (organizationId: OrganizationId, ref: TypeRef): Promise<KnownType> => {
    const { type, version } = await find(organizationId, ref);
    return knownType(type, version);
  };

  const known: JobTypes["known"] = async (organizationId, ref) => {
    const entry = entryOf(organizationId, ref);
    const fresh = remembered.get(entry);
    if (fresh !== undefined && clock.monotonic() - fresh.readAt < REMEMBER_MS) {
      return await fresh.known;
    }
    // Kept while it is being read: those who come in the meantime share it, and a change that comes
    // in the meantime forgets it.
    const mine = { readAt: clock.monotonic(), known: read(organizationId, ref) };
    remembered.set(entry, mine, { size: BASE_CHARACTERS });
    try {
      const type = await mine.known;
      const size = BASE_CHARACTERS + (type.inputSchema?.length ?? 0);
      if (remembered.peek(entry) === mine) remembered.set(entry, mine, { size });
      return type;
    } catch (caught) {
      // What is not there may be put at any moment, by any server.
      if (remembered.peek(entry) === mine) remembered.delete(entry);
      throw caught;
    }
  };

  /** After the commit: whoever reads from now on reads what was written. */
  const forget = async (organizationId: OrganizationId, name: string): Promise<void> => {
    const prefix = `${organizationId}\0${name}\0`;
    for (const entry of remembered.keys()) {
      if (entry.startsWith(prefix)) remembered.delete(entry);
    }
    await changed(organizationId);
  };

  const lineOf = (
    organizationId: OrganizationId,
    by: Actor,
    action: AuditAction,
    name: string,
    details: object | null,
  ): AuditRow => ({
    organizationId,
    id: newId(),
    at: clock.now(),
    actor: by,
    action,
    subject: name,
    details: details === null ? null : JSON.stringify(details),
  });

  /** Null if somebody else put a version in between. */
  const tryPut = async (place: Place, request: PutRequest): Promise<PutOutcome | null> => {
    const { organizationId, shardId } = place;
    const { name, content, maxRunning, by } = request;
    const head = await catalog.find(organizationId, name);
    const now = clock.now();
    const fingerprint = fingerprintOf(content);
    const createdVersion = head?.version.fingerprint !== fingerprint;
    const number = (head?.type.version ?? 0) + (createdVersion ? 1 : 0);
    const type: JobTypeRow = {
      organizationId,
      name,
      version: number,
      enabled: head?.type.enabled ?? true,
      maxRunning,
      createdAt: head?.type.createdAt ?? now,
      changedAt: now,
    };
    const version: JobTypeVersionRow =
      head !== null && !createdVersion
        ? head.version
        : {
            organizationId,
            name,
            version: number,
            fingerprint,
            description: content.description,
            capability: content.capability,
            scriptHash: content.script?.hash ?? "",
            inputSchema: content.inputSchema,
            defaults: JSON.stringify(content.defaults),
            createdBy: by.userId,
            createdAt: now,
          };
    const outcome = { type, version, createdVersion };
    const nothingNew = !createdVersion && head?.type.maxRunning === maxRunning;
    if (request.validateOnly || nothingNew) return outcome;
    const written = await catalog.put(shardId, {
      type,
      version: createdVersion ? version : null,
      script:
        createdVersion && content.script !== null
          ? { organizationId, ...content.script, createdAt: now }
          : null,
      audit: lineOf(organizationId, by, "type.put", name, { version: number, maxRunning }),
    });
    if (!written) return null;
    await forget(organizationId, name);
    return outcome;
  };

  return {
    known,
    find,
    put: async (place, request) => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const outcome = await tryPut(place, request);
        if (outcome !== null) return outcome;
      }
      const message = `The type ${request.name} is being changed by others. Try again shortly.`;
      throw new JobFault("SHARD_UNAVAILABLE", message);
    },
    setEnabled: async ({ organizationId, shardId }, name, enabled, by) => {
      const ref = { name, version: 0 };
      const { type, version } = await find(organizationId, ref);
      if (type.enabled === enabled) return { type, version };
      const change = { organizationId, name, enabled, changedAt: clock.now() };
      const action = enabled ? "type.enable" : "type.disable";
      const line = lineOf(organizationId, by, action, name, null);
      if (!(await catalog.setEnabled(shardId, change, line))) throw typeNotFound(ref);
      await forget(organizationId, name);
      return { type: { ...type, enabled, changedAt: change.changedAt }, version };
    },
  };
};
