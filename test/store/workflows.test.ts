import { describe, expect, test } from "vitest";

import { WITH_ITS_WORKFLOW } from "../../src/jobs/job.ts";
import { workflowRemovalsOf } from "../../src/cluster/retention.ts";
import type { WorkflowRow } from "../../src/jobs/workflow.ts";
import { NOTHING_WANTED, type ShardChanges } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobId } from "../support/job-row.ts";
import { anAttemptRow, anOutputRow, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";
import { aWorkflow } from "../support/workflow.ts";

const TABLES = [
  ...["jobs", "job_specs", "job_attempts", "job_output", "job_requests"],
  ...["workflows", "workflow_steps", "job_edges"],
];

/** A workflow that ended, with something in every table. */
const ended = (request: string, { purgeAt = 10, lines = 1 } = {}) => {
  const submission = aWorkflow(
    { a: {}, b: { after: ["a", "c?"] }, c: {} },
    { request, fingerprint: "x" },
  );
  const jobs = submission.steps.map(({ submission: { job } }) => ({
    ...job,
    ...{ state: "SUCCEEDED" as const, attempt: 1, endedAt: 1, purgeAt: WITH_ITS_WORKFLOW },
    outputCount: lines,
  }));
  const workflow: WorkflowRow = {
    ...submission.workflow,
    ...{ state: "FAILED" as const, revision: 1, labels: { team: "ü" }, name: "Bericht 🚚" },
    ...{ succeeded: 1, failed: 2, cancelled: 3, unansweredFailed: 4, unansweredCancelled: 5 },
    ...{ endedAt: 1, purgeAt, cancelRequestedAt: 6, cancelReason: "genug", cancelledBy: "" },
  };
  const changes = {
    inserted: jobs,
    specs: submission.steps.map(({ submission: { spec } }) => spec),
    attempts: jobs.map((job) => anAttemptRow(job, { attempt: 1, result: `"${job.stepName}"` })),
    output: jobs.flatMap((job) =>
      Array.from({ length: lines }, (_, seq) => anOutputRow(job, { seq })),
    ),
    requests: submission.request === null ? [] : [submission.request],
    workflows: [workflow],
    workflowSteps: submission.steps.map(({ step }) => step),
    edges: submission.edges,
  } satisfies Partial<ShardChanges>;
  const { organizationId, id } = workflow;
  return { changes, jobs, workflow, key: { organizationId, id } };
};

describe.each(ENGINES)("workflows on %s", (engine) => {
  const given = withStore(engine);

  const counts = async (): Promise<number[]> => {
    const found = TABLES.map(async (table) => {
      const [row] = await given.database.query(`SELECT COUNT(*) AS n FROM ${table}`);
      return Number(row?.["n"]);
    });
    return await Promise.all(found);
  };

  test("come back as they were written, and those that live are loaded with their shard", async () => {
    const { shards } = given.store;
    const { changes, workflow, key } = ended("Bericht");
    const owner = await claimed(shards);
    await owner.commit(changes);
    const alive = aWorkflow({ a: {}, b: { after: ["a"] } });
    const rows = { workflowSteps: alive.steps.map(({ step }) => step), edges: alive.edges };
    await owner.commit({ workflows: [alive.workflow], ...rows });
    const { workflows } = await shards.load(0);
    expect(workflows).toEqual([
      { workflow: alive.workflow, steps: rows.workflowSteps, edges: rows.edges },
    ]);
    const wanted = { workflows: [key], workflowRows: [key, { ...key, id: alive.workflow.id }] };
    const cold = await shards.readCold(0, { ...NOTHING_WANTED, ...wanted });
    expect(cold.workflows).toMatchObject([{ workflow, steps: changes.workflowSteps }]);
    expect(new Set(cold.workflows[0]?.edges)).toEqual(new Set(changes.edges));
    expect(cold.workflowRows).toHaveLength(2);
    expect(cold.workflowRows).toContainEqual(workflow);
  });

  test("tell what their jobs came to, in their newest attempts", async () => {
    const { shards, jobs } = given.store;
    const { changes, jobs: rows } = ended("r");
    const [a, b, c] = rows;
    if (a === undefined || b === undefined || c === undefined) throw new Error("no jobs");
    const error = { code: "boom", message: "ü", stack: "", retryable: true };
    const failed = { ...b, state: "FAILED" as const, attempt: 2, error };
    const owner = await claimed(shards);
    await owner.commit({
      ...changes,
      inserted: [a, failed, { ...c, state: "CANCELLED", attempt: 0, cancelReason: "enough" }],
      attempts: [
        ...changes.attempts.slice(0, 2),
        anAttemptRow(failed, { attempt: 2, outcome: "FAILED", result: null, error }),
      ],
    });
    const keys = [...rows, { ...a, id: aJobId() }];
    const { results } = await shards.readCold(0, { ...NOTHING_WANTED, results: keys });
    const byId = new Map(results.map((one) => [one.id, one]));
    expect(byId.size).toBe(3);
    expect(byId.get(a.id)).toMatchObject({ state: "SUCCEEDED", result: '"a"', error: null });
    expect(byId.get(b.id)).toMatchObject({ state: "FAILED", result: null, error });
    expect(byId.get(c.id)).toMatchObject({ state: "CANCELLED", cancelReason: "enough" });
    const ids = rows.map(({ id }) => id);
    expect(new Set(await jobs.results(placeOf(a), ids))).toEqual(new Set(results));
  });

  test("are removed with all that belongs to them, job by job, and their request last", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    const [kept, due] = [ended("kept", { purgeAt: 11 }), ended("due", { lines: 2 })];
    await owner.commit(kept.changes);
    const before = await counts();
    await owner.commit(due.changes);

    const [first, ...others] = await shards.purgeableWorkflows(0, 10, 2);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      workflow: { ...due.key, revision: 1, requestId: "due" },
      jobs: due.jobs.slice(0, 2).map(({ id }) => ({ id, revision: 2, outputCount: 2 })),
      isWhole: false,
    });
    await owner.commit({ purged: first?.jobs ?? [] });
    const rest = await shards.purgeableWorkflows(0, 10, 2);
    expect(rest).toMatchObject([{ jobs: [{ id: due.jobs[2]?.id }], isWhole: true }]);
    const [removal] = await workflowRemovalsOf(shards, 0, rest);
    expect(removal?.isLast).toBe(true);
    await owner.commit({
      purged: rest[0]?.jobs ?? [],
      purgedWorkflows: rest.map(({ workflow }) => workflow),
    });
    expect(await shards.purgeableWorkflows(0, 10, 2)).toEqual([]);
    expect(await counts()).toEqual(before);
    expect(await shards.purgeableWorkflows(0, 11, 10)).toMatchObject([{ isWhole: true }]);
  });

  test("whose output is too much for one commit lose it before they go", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    const { changes } = ended("r", { lines: 600 });
    await owner.commit(changes);
    const found = await shards.purgeableWorkflows(0, 10, 100);
    const [removal] = await workflowRemovalsOf(shards, 0, found);
    expect(removal?.isLast).toBe(false);
    expect(removal?.jobs.map(({ output }) => output?.length)).toEqual([500, 500, 500]);
  });
});
