/** Workflows with their steps and ties. */
import type { Knex } from "knex";

import type { EdgeRow, WorkflowRow, WorkflowStepRow } from "../jobs/workflow.ts";
import type { DatabaseRow, Engine, Transaction } from "./engine.ts";
import { type Key, readByKey } from "./read-by-key.ts";
import { textOf } from "./rows/column.ts";
import {
  DELETE_EDGES,
  DELETE_WORKFLOW,
  DELETE_WORKFLOW_STEPS,
  edgeOf,
  INSERT_EDGE,
  INSERT_WORKFLOW_STEP,
  UPSERT_WORKFLOW,
  WORKFLOW_COLUMNS,
  workflowOf,
  workflowStepOf,
} from "./rows/workflow.ts";
import type { ShardChanges, ShardId, WorkflowKey, WorkflowRows } from "./store.ts";
import { writeRows } from "./write-rows.ts";

export const writeWorkflows = async (
  transaction: Transaction,
  shardId: ShardId,
  changes: ShardChanges,
): Promise<void> => {
  await writeRows(transaction, shardId, DELETE_WORKFLOW_STEPS, changes.purgedWorkflows);
  await writeRows(transaction, shardId, DELETE_EDGES, changes.purgedWorkflows);
  await writeRows(transaction, shardId, DELETE_WORKFLOW, changes.purgedWorkflows);
  await writeRows(transaction, shardId, UPSERT_WORKFLOW, changes.workflows);
  await writeRows(transaction, shardId, INSERT_WORKFLOW_STEP, changes.workflowSteps);
  await writeRows(transaction, shardId, INSERT_EDGE, changes.edges);
};

const withSteps = async (
  { knex }: Engine,
  shardId: ShardId,
  workflows: readonly WorkflowRow[],
): Promise<WorkflowRows[]> => {
  const read = async (table: string): Promise<DatabaseRow[]> =>
    await readByKey(knex, { table, id: "workflow_id", columns: ["*"] }, shardId, workflows);
  const ofWorkflow = (row: DatabaseRow): string =>
    `${textOf(row, "organization_id")}/${textOf(row, "workflow_id")}`;
  const steps = Map.groupBy(await read("workflow_steps"), ofWorkflow);
  const edges = Map.groupBy(await read("job_edges"), ofWorkflow);
  return workflows.map((workflow) => {
    const key = `${workflow.organizationId}/${workflow.id}`;
    const stepRows: WorkflowStepRow[] = (steps.get(key) ?? []).map(workflowStepOf);
    const edgeRows: EdgeRow[] = (edges.get(key) ?? []).map(edgeOf);
    return {
      workflow,
      steps: stepRows.toSorted((a, b) => a.position - b.position),
      edges: edgeRows,
    };
  });
};

export const workflowColumns = ({ textOfBytes }: Engine): (string | Knex.Raw)[] => [
  ...WORKFLOW_COLUMNS,
  textOfBytes("request_id"),
];

const readRows = async (
  engine: Engine,
  shardId: ShardId,
  keys: readonly WorkflowKey[],
): Promise<WorkflowRow[]> => {
  const wanted: readonly Key[] = keys;
  if (wanted.length === 0) return [];
  const read = { table: "workflows", id: "id", columns: workflowColumns(engine) };
  return (await readByKey(engine.knex, read, shardId, wanted)).map(workflowOf);
};

/** Those of `keys` that there are, with all that belongs to them. */
export const readWorkflows = async (
  engine: Engine,
  shardId: ShardId,
  keys: readonly WorkflowKey[],
): Promise<WorkflowRows[]> => {
  const rows = await readRows(engine, shardId, keys);
  return rows.length === 0 ? [] : await withSteps(engine, shardId, rows);
};

/** All that have not ended: the head of the index workflows_by_purge. */
export const readActiveWorkflows = async (
  engine: Engine,
  shardId: ShardId,
): Promise<WorkflowRows[]> => {
  const rows = (await engine
    .knex("workflows")
    .select(workflowColumns(engine))
    .where("shard_id", shardId)
    .whereNull("purge_at")) as DatabaseRow[];
  return await withSteps(engine, shardId, rows.map(workflowOf));
};
