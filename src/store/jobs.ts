/** Reads of jobs that go straight to the database. */
import type { Knex } from "knex";

import type { JobId } from "../jobs/ids.ts";
import { type JobRow, REMOVED } from "../jobs/job.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { matching, matchingChanges, type Side, sidesOf, withoutRemoved } from "./job-query.ts";
import { attemptOf } from "./rows/attempt.ts";
import { numberOf, textOf, textOrNull } from "./rows/column.ts";
import { JOB_COLUMNS, jobOf } from "./rows/job.ts";
import { outputOf } from "./rows/output.ts";
import { stepOf } from "./rows/step.ts";
import { scriptOf } from "./rows/script.ts";
import { readResults } from "./results.ts";
import type { JobFilter, JobReader, Place } from "./store.ts";

const COLUMNS = JOB_COLUMNS.map((column) => `j.${column}`);

const rowsOf = async (query: Knex.QueryBuilder): Promise<DatabaseRow[]> =>
  (await query) as DatabaseRow[];

const inPlace = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  shard_id: shardId,
  organization_id: organizationId,
});

/**
 * Newest first. Several states, and the two sides of what a user sees, are read as one ordered page
 * of each, merged in the same statement: `state IN (…)` with this order would walk all of the
 * organization's jobs.
 */
const list = async (
  { knex }: Engine,
  place: Place,
  filter: JobFilter,
  page: { readonly before: JobId | null; readonly limit: number },
): Promise<JobRow[]> => {
  const pageOf = (states: JobFilter["states"], side: Side | null): Knex.QueryBuilder => {
    const { query, id } = matching(knex, place, { ...filter, states }, side);
    if (page.before !== null) void query.where(id, "<", page.before);
    return withoutRemoved(query, "j.purge_at")
      .select(COLUMNS)
      .orderBy(id, "desc")
      .limit(page.limit);
  };
  const together = filter.states.length <= 1 || filter.workflowId !== null;
  const states = together ? [filter.states] : filter.states.map((one) => [one]);
  const pages = states.flatMap((some) => sidesOf(filter).map((side) => pageOf(some, side)));
  const [only] = pages;
  if (only !== undefined && pages.length === 1) return (await rowsOf(only)).map(jobOf);
  const parts = pages.map((part, at) => knex.from(part.as(`p${at}`)).select("*"));
  // A job that is in both sides comes twice.
  const merged = knex
    .unionAll(parts)
    .orderBy("id", "desc")
    .limit(page.limit * sidesOf(filter).length);
  const jobs = new Map((await rowsOf(merged)).map((row) => [textOf(row, "id"), row]));
  return [...jobs.values()].slice(0, page.limit).map(jobOf);
};

/** Bounded from below by the revision alone, which is what the index is ordered by. */
const changedSince = async (
  { knex }: Engine,
  place: Place,
  filter: JobFilter,
  page: {
    readonly after: { readonly revision: number; readonly id: string };
    readonly limit: number;
  },
): Promise<JobRow[]> => {
  const { revision, id } = page.after;
  const query = withoutRemoved(matchingChanges(knex, place, filter), "j.purge_at")
    .where("j.revision", ">=", revision)
    .where((later) => {
      void later.where("j.revision", ">", revision).orWhere("j.id", ">", id);
    })
    .select(COLUMNS)
    .orderBy([{ column: "j.revision" }, { column: "j.id" }])
    .limit(page.limit);
  return (await rowsOf(query)).map(jobOf);
};

/** Whether rows of removed jobs are still to go: seldom, and a count that looks at each row is slow. */
const hasRemoved = async (knex: Knex, { shardId }: Place): Promise<boolean> => {
  const removed = knex("jobs").where({ shard_id: shardId, purge_at: REMOVED });
  return (await rowsOf(removed.select("id").limit(1))).length > 0;
};

const count = async ({ knex }: Engine, place: Place, filter: JobFilter): Promise<number> => {
  const looks = await hasRemoved(knex, place);
  const counts = await Promise.all(
    sidesOf(filter).map(async (side) => {
      const { query } = matching(knex, place, filter, side);
      // Those that he created himself have been counted.
      if (side === "acting") void query.whereNot("j.creator_id", filter.visibleTo);
      if (looks) void withoutRemoved(query, "j.purge_at");
      const [row] = await rowsOf(query.count({ jobs: "*" }));
      return row === undefined ? 0 : numberOf(row, "jobs");
    }),
  );
  return counts.reduce((sum, part) => sum + part, 0);
};

export const createJobReader = (engine: Engine): JobReader => {
  const { knex } = engine;
  return {
    find: async (place, id) => {
      const query = knex("jobs").where({ ...inPlace(place), id });
      const [row] = await rowsOf(withoutRemoved(query, "purge_at").select(JOB_COLUMNS));
      return row === undefined ? null : jobOf(row);
    },
    list: async (place, filter, before, limit) =>
      await list(engine, place, filter, { before, limit }),
    count: async (place, filter) => await count(engine, place, filter),
    changedSince: async (place, filter, after, limit) =>
      await changedSince(engine, place, filter, { after, limit }),
    revision: async (shardId) => {
      const [row] = await rowsOf(knex("shards").where("id", shardId).select("*"));
      if (row === undefined) throw new RangeError(`the database has no shard ${shardId}`);
      return { current: numberOf(row, "revision"), compacted: numberOf(row, "compacted_revision") };
    },
    input: async (place, id) => {
      const key = { ...inPlace(place), job_id: id };
      const [row] = await rowsOf(knex("job_specs").where(key).select("input", "bindings"));
      if (row === undefined) return null;
      return { input: textOf(row, "input"), bindings: textOrNull(row, "bindings") ?? "" };
    },
    results: async ({ shardId, organizationId }, ids) => {
      const keys = ids.map((id) => ({ organizationId, id }));
      return await readResults(engine, shardId, keys);
    },
    traceparent: async (place, id) => {
      const key = { ...inPlace(place), job_id: id };
      const [row] = await rowsOf(knex("job_specs").where(key).select("traceparent"));
      return row === undefined ? "" : textOf(row, "traceparent");
    },
    result: async (place, id, attempt) => {
      const key = { ...inPlace(place), job_id: id, attempt };
      const [row] = await rowsOf(knex("job_attempts").where(key).select("result"));
      return row === undefined ? null : textOrNull(row, "result");
    },
    attempts: async (place, id) => {
      const query = knex("job_attempts").where({ ...inPlace(place), job_id: id });
      return (await rowsOf(query.select("*").orderBy("attempt"))).map(attemptOf);
    },
    output: async (place, id, fromSeq, limit) => {
      const query = knex("job_output")
        .where({ ...inPlace(place), job_id: id })
        .where("seq", ">=", fromSeq);
      return (await rowsOf(query.select("*").orderBy("seq").limit(limit))).map(outputOf);
    },
    script: async (place, hash) => {
      const [row] = await rowsOf(
        knex("scripts")
          .where({ ...inPlace(place), hash })
          .select("*"),
      );
      return row === undefined ? null : scriptOf(row);
    },
    steps: async (place, id) => {
      const query = knex("job_steps").where({ ...inPlace(place), job_id: id });
      const rows = await rowsOf(
        query.select("result", engine.textOfBytes("name")).orderBy("written_at"),
      );
      return rows.map(stepOf);
    },
  };
};
