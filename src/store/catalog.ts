/** Job types and their versions. */
import type { Knex } from "knex";

import type { OrganizationId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { insertAuditLine } from "./rows/audit.ts";
import { breakerOf } from "./rows/breaker.ts";
import {
  columnsOfJobType,
  columnsOfJobTypeVersion,
  jobTypeOf,
  jobTypeVersionOf,
} from "./rows/job-type.ts";
import { INSERT_MISSING_SCRIPT } from "./rows/script.ts";
import type { CatalogStore, JobTypeRow } from "./store.ts";

/** Keeps a statement below the 1,000 alternatives that SQLite takes. */
const KEYS_PER_READ = 200;

/** Schemas may have 256 KiB each. */
const BRIEF = [
  "organization_id",
  "name",
  "version",
  "fingerprint",
  "description",
  "capability",
  "script_hash",
  "defaults",
  "created_by",
  "created_at",
];

const keyOf = ({ organizationId, name }: Pick<JobTypeRow, "organizationId" | "name">) => ({
  organization_id: organizationId,
  name,
});

export const createCatalogStore = (engine: Engine): CatalogStore => {
  const { knex } = engine;
  /** Its row lock lets changes of one organization's types follow one another. */
  const touch = async (transaction: Knex, id: OrganizationId): Promise<void> => {
    await transaction("organizations")
      .where({ id })
      .update({ changed_at: transaction.raw(engine.now) });
  };
  const findVersion: CatalogStore["findVersion"] = async (organizationId, name, version) => {
    const key = { organization_id: organizationId, name, version };
    const row = (await knex("job_type_versions").where(key).first()) as DatabaseRow | undefined;
    return row === undefined ? null : jobTypeVersionOf(row);
  };
  return {
    find: async (organizationId, name) => {
      const key = { organization_id: organizationId, name };
      const row = (await knex("job_types").where(key).first()) as DatabaseRow | undefined;
      if (row === undefined) return null;
      const type = jobTypeOf(row);
      const version = await findVersion(organizationId, name, type.version);
      if (version === null) throw new Error(`type ${name} lacks its version ${type.version}`);
      return { type, version };
    },
    findVersion,
    newest: async (organizationId, types) => {
      const rows: DatabaseRow[] = [];
      for (let at = 0; at < types.length; at += KEYS_PER_READ) {
        const query = knex("job_type_versions").select(BRIEF);
        for (const { name, version } of types.slice(at, at + KEYS_PER_READ)) {
          void query.orWhere({ organization_id: organizationId, name, version });
        }
        rows.push(...((await query) as DatabaseRow[]));
      }
      return rows.map(jobTypeVersionOf);
    },
    list: async (organizationId, { after, limit }) => {
      const query = knex("job_types").where("organization_id", organizationId);
      if (after !== null) void query.where("name", ">", after);
      return ((await query.orderBy("name").limit(limit)) as DatabaseRow[]).map(jobTypeOf);
    },
    versions: async (organizationId, name, { before, limit }) => {
      const query = knex("job_type_versions")
        .select(BRIEF)
        .where({ organization_id: organizationId, name });
      if (before !== null) void query.where("version", "<", before);
      const rows = (await query.orderBy("version", "desc").limit(limit)) as DatabaseRow[];
      return rows.map(jobTypeVersionOf);
    },
    put: async (shardId, { type, version, script, audit }) => {
      if (script !== null) {
        // Content-addressed: a script without a version harms nobody, a version without one would.
        await engine.transaction(async (transaction) => {
          const { write, values } = INSERT_MISSING_SCRIPT;
          await transaction.write(write, [values(shardId, script)]);
        });
      }
      return await knex.transaction(async (transaction) => {
        await touch(transaction, type.organizationId);
        const known = (await transaction("job_types").where(keyOf(type)).first()) as
          | DatabaseRow
          | undefined;
        const current = known === undefined ? 0 : jobTypeOf(known).version;
        if ((version === null ? type.version : version.version - 1) !== current) return false;
        if (version !== null) {
          await transaction("job_type_versions").insert(columnsOfJobTypeVersion(version));
        }
        await transaction("job_types")
          .insert(columnsOfJobType(type))
          .onConflict(["organization_id", "name"])
          .merge(["version", "max_running", "changed_at"]);
        await insertAuditLine(transaction, { shardId, row: audit });
        return true;
      });
    },
    setEnabled: async (shardId, type, audit) =>
      await knex.transaction(async (transaction) => {
        await touch(transaction, type.organizationId);
        const found = await transaction("job_types")
          .where(keyOf(type))
          .update({ enabled: type.enabled ? 1 : 0, changed_at: type.changedAt });
        if (found === 0) return false;
        await insertAuditLine(transaction, { shardId, row: audit });
        return true;
      }),
    breakers: async ({ shardId, organizationId }, types) => {
      const query = knex("type_breakers")
        .where({ shard_id: shardId, organization_id: organizationId })
        .whereIn("type", types);
      return ((await query) as DatabaseRow[]).map(breakerOf);
    },
  };
};
