/** Reads of workflows that go straight to the database. */
import type { Knex } from "knex";

import type { WorkflowId } from "../jobs/ids.ts";
import type { WorkflowRow } from "../jobs/workflow.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { ofWorkflow } from "./job-query.ts";
import { WORKFLOW_STATE_CODES } from "./rows/codes.ts";
import { JOB_COLUMNS, jobOf } from "./rows/job.ts";
import { edgeOf, workflowOf, workflowStepOf } from "./rows/workflow.ts";
import type { Place, WorkflowFilter, WorkflowReader, WorkflowWhole } from "./store.ts";
import { workflowColumns } from "./workflows.ts";

const rowsOf = async (query: Knex.QueryBuilder): Promise<DatabaseRow[]> =>
  (await query) as DatabaseRow[];

const inPlace = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  shard_id: shardId,
  organization_id: organizationId,
});

const find = async (
  engine: Engine,
  knex: Knex,
  place: Place,
  id: WorkflowId,
): Promise<WorkflowRow | null> => {
  const query = knex("workflows").where({ ...inPlace(place), id });
  const [row] = await rowsOf(query.select(workflowColumns(engine)));
  return row === undefined ? null : workflowOf(row);
};

/** In one snapshot: a workflow that has ended is not shown with a job that runs. */
const whole = async (engine: Engine, place: Place, id: WorkflowId): Promise<WorkflowWhole | null> =>
  await engine.snapshot(async (knex) => {
    const workflow = await find(engine, knex, place, id);
    if (workflow === null) return null;
    const key = { ...inPlace(place), workflow_id: id };
    const steps = await rowsOf(knex("workflow_steps").where(key).select("*").orderBy("position"));
    const edges = await rowsOf(knex("job_edges").where(key).select("*"));
    const columns = JOB_COLUMNS.map((column) => `j.${column}`);
    const jobs = await rowsOf(ofWorkflow(knex, place, id).select(columns));
    return {
      workflow,
      steps: steps.map(workflowStepOf),
      edges: edges.map(edgeOf),
      jobs: jobs.map(jobOf),
    };
  });

/**
 * With the plus neither engine takes the primary key, which would walk all workflows of the
 * organization. Several states are read as one ordered page of each.
 */
const list = async (
  engine: Engine,
  place: Place,
  { states, visibleTo }: WorkflowFilter,
  page: { readonly before: WorkflowId | null; readonly limit: number },
): Promise<WorkflowRow[]> => {
  const { knex } = engine;
  const pageOf = (state: WorkflowRow["state"] | null): Knex.QueryBuilder => {
    const query = knex("workflows").where("organization_id", place.organizationId);
    if (state === null && visibleTo === null) void query.where("shard_id", place.shardId);
    else void query.whereRaw("+shard_id = ?", [place.shardId]);
    if (visibleTo !== null) void query.where("creator_id", visibleTo);
    if (state !== null) {
      const code = WORKFLOW_STATE_CODES.numbers[state];
      void query.whereRaw(visibleTo === null ? "state = ?" : "+state = ?", [code]);
    }
    if (page.before !== null) void query.where("id", "<", page.before);
    return query.select(workflowColumns(engine)).orderBy("id", "desc").limit(page.limit);
  };
  const [first = null, ...more] = states;
  const query =
    more.length === 0
      ? pageOf(first)
      : knex
          .unionAll(states.map((state, at) => knex.from(pageOf(state).as(`p${at}`)).select("*")))
          .orderBy("id", "desc")
          .limit(page.limit);
  return (await rowsOf(query)).map(workflowOf);
};

export const createWorkflowReader = (engine: Engine): WorkflowReader => ({
  find: async (place, id) => await find(engine, engine.knex, place, id),
  whole: async (place, id) => await whole(engine, place, id),
  list: async (place, filter, before, limit) =>
    await list(engine, place, filter, { before, limit }),
});
