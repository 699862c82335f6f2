/** Job types and their versions. */
import type { DatabaseRow, Engine } from "./engine.ts";
import { breakerOf } from "./rows/breaker.ts";
import {
  columnsOfJobType,
  columnsOfJobTypeVersion,
  jobTypeOf,
  jobTypeVersionOf,
} from "./rows/job-type.ts";
import { INSERT_MISSING_SCRIPT } from "./rows/script.ts";
import type { CatalogStore } from "./store.ts";

export const createCatalogStore = (engine: Engine): CatalogStore => {
  const { knex } = engine;
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
    list: async (organizationId, { after, limit }) => {
      const query = knex("job_types").where("organization_id", organizationId);
      if (after !== null) void query.where("name", ">", after);
      return ((await query.orderBy("name").limit(limit)) as DatabaseRow[]).map(jobTypeOf);
    },
    versions: async (organizationId, name, { before, limit }) => {
      const query = knex("job_type_versions").where({ organization_id: organizationId, name });
      if (before !== null) void query.where("version", "<", before);
      const rows = (await query.orderBy("version", "desc").limit(limit)) as DatabaseRow[];
      return rows.map(jobTypeVersionOf);
    },
    put: async (shardId, type, version, script) => {
      if (script !== null) {
        await engine.transaction(async (transaction) => {
          const { write, values } = INSERT_MISSING_SCRIPT;
          await transaction.write(write, [values(shardId, script)]);
        });
      }
      return await knex.transaction(async (transaction) => {
        // Its row lock lets changes of one organization's types follow one another.
        await transaction("organizations")
          .where("id", type.organizationId)
          .update({ changed_at: transaction.raw(engine.now) });
        const { organizationId, name } = type;
        const known = (await transaction("job_types")
          .where({ organization_id: organizationId, name })
          .first()) as DatabaseRow | undefined;
        const current = known === undefined ? 0 : jobTypeOf(known).version;
        if (version !== null && version.version !== current + 1) return false;
        if (version === null && type.version !== current) return false;
        if (version !== null) {
          await transaction("job_type_versions").insert(columnsOfJobTypeVersion(version));
        }
        await transaction("job_types")
          .insert(columnsOfJobType(type))
          .onConflict(["organization_id", "name"])
          .merge();
        return true;
      });
    },
    breaker: async ({ shardId, organizationId }, type) => {
      const key = { shard_id: shardId, organization_id: organizationId, type };
      const row = (await knex("type_breakers").where(key).first()) as DatabaseRow | undefined;
      return row === undefined ? null : breakerOf(row);
    },
  };
};
