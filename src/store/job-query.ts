/** Which jobs: the filter of lists and watches as conditions. */
import type { Knex } from "knex";

import type { UserId } from "../jobs/ids.ts";
import { REMOVED } from "../jobs/job.ts";
import { STATES } from "./rows/codes.ts";
import type { JobFilter, Place } from "./store.ts";

type Labels = readonly (readonly [name: string, value: string])[];

const LABEL_KEY = ["shard_id", "organization_id", "job_id"] as const;

/** Jobs `j` that carry all labels; each label is one look into the key of job_labels. */
const withLabels = (knex: Knex, query: Knex.QueryBuilder, labels: Labels): void => {
  for (const [at, [name, value]] of labels.entries()) {
    const label = `l${at}`;
    void query.join({ [label]: "job_labels" }, (on) => {
      void on
        .on(`${label}.name`, knex.raw("?", [name]))
        .on(`${label}.value`, knex.raw("?", [value]));
      for (const column of LABEL_KEY) {
        void on.on(`${label}.${column}`, `j.${column === "job_id" ? "id" : column}`);
      }
    });
  }
};

/**
 * What a user sees are two ranges of jobs: those that he created, and those that act for him. Read
 * apart, each is a range of an index; `OR` would walk all jobs. Most jobs are in both.
 */
export type Side = "created" | "acting";

/** The ranges to be read for this filter; null: all of them are one. */
export const sidesOf = ({ visibleTo, labels, workflowId }: JobFilter): readonly (Side | null)[] => {
  for (const _ in labels) return [null];
  return visibleTo === null || workflowId !== null ? [null] : ["created", "acting"];
};

/** Jobs `j` of one workflow, by its steps `s`: 2,000 at most. */
export const ofWorkflow = (knex: Knex, place: Place, workflowId: string): Knex.QueryBuilder => {
  const { shardId, organizationId } = place;
  return knex({ s: "workflow_steps" })
    .crossJoin(knex.raw("jobs AS j"))
    .where({ "s.shard_id": shardId, "s.organization_id": organizationId })
    .where("s.workflow_id", workflowId)
    .where({ "j.shard_id": shardId, "j.organization_id": organizationId })
    .whereRaw("j.id = s.job_id");
};

const visibility = (query: Knex.QueryBuilder, user: UserId, side: Side | null): void => {
  if (side === "created") void query.where("j.creator_id", user);
  else if (side === "acting") void query.where("j.run_as", user);
  else {
    void query.where((mine) => {
      void mine.where("j.creator_id", user).orWhere("j.run_as", user);
    });
  }
};

const conditions = (
  query: Knex.QueryBuilder,
  filter: JobFilter,
  side: Side | null = null,
): Knex.QueryBuilder => {
  const states = filter.states.map((name) => STATES.numbers[name]);
  const [state] = states;
  if (states.length > 1) void query.whereIn("j.state", states);
  // With the plus SQLite takes the index of the side: a user's own jobs, not all of that state.
  else if (state !== undefined && side !== null) void query.whereRaw("+j.state = ?", [state]);
  else if (state !== undefined) void query.where("j.state", state);
  if (filter.type !== null) void query.where("j.type", filter.type);
  if (filter.creatorId !== null) void query.where("j.creator_id", filter.creatorId);
  if (filter.createdAfter !== null) void query.where("j.created_at", ">=", filter.createdAfter);
  if (filter.createdBefore !== null) void query.where("j.created_at", "<", filter.createdBefore);
  if (filter.visibleTo !== null) visibility(query, filter.visibleTo, side);
  return query;
};

/** Jobs `j` of one organization that match, for whoever reads them by revision. */
export const matchingChanges = (knex: Knex, place: Place, filter: JobFilter): Knex.QueryBuilder => {
  const { shardId, organizationId } = place;
  const query =
    filter.workflowId === null
      ? knex({ j: "jobs" })
          .where("j.organization_id", organizationId)
          .whereRaw("+j.shard_id = ?", [shardId])
      : ofWorkflow(knex, place, filter.workflowId);
  withLabels(knex, query, Object.entries(filter.labels));
  return conditions(query, filter);
};

/**
 * Leaves out the jobs that were removed with their workflow and whose rows are still to go. A
 * function of the column, so that no engine makes a range of jobs_by_purge of it.
 */
export const withoutRemoved = (query: Knex.QueryBuilder, column: string): Knex.QueryBuilder =>
  query.whereRaw("COALESCE(??, 1) <> ?", [column, REMOVED]);

export type Matching = {
  readonly query: Knex.QueryBuilder;
  /** The column that has the job's id, in the order of the index that is read. */
  readonly id: string;
};

/**
 * Jobs `j` of one organization that match, for whoever reads them by id. SQLite has no statistics,
 * so the query leaves it no choice: with labels, CROSS JOIN starts at the first label; with states
 * or a user, the plus keeps it from the primary key, which would walk all jobs, and leaves
 * jobs_by_state, jobs_by_creator or jobs_by_run_as. A workflow's few jobs are read by its steps.
 */
export const matching = (
  knex: Knex,
  place: Place,
  filter: JobFilter,
  side: Side | null,
): Matching => {
  const { shardId, organizationId } = place;
  if (filter.workflowId !== null) {
    const query = ofWorkflow(knex, place, filter.workflowId);
    withLabels(knex, query, Object.entries(filter.labels));
    return { query: conditions(query, filter), id: "s.job_id" };
  }
  const [first, ...labels] = Object.entries(filter.labels);
  if (first === undefined) {
    const query = knex({ j: "jobs" }).where("j.organization_id", organizationId);
    const byPrimaryKey = filter.states.length === 0 && filter.creatorId === null && side === null;
    if (byPrimaryKey) void query.where("j.shard_id", shardId);
    else void query.whereRaw("+j.shard_id = ?", [shardId]);
    return { query: conditions(query, filter, side), id: "j.id" };
  }
  const [name, value] = first;
  const query = knex({ l: "job_labels" })
    .crossJoin(knex.raw("jobs AS j"))
    .where({ "l.shard_id": shardId, "l.organization_id": organizationId })
    .where({ "l.name": name, "l.value": value })
    .where({ "j.shard_id": shardId, "j.organization_id": organizationId })
    .whereRaw("j.id = l.job_id");
  withLabels(knex, query, labels);
  return { query: conditions(query, filter), id: "l.job_id" };
};
