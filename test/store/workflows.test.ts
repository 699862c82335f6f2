import { describe, expect, test } from "vitest";

import { WITH_ITS_WORKFLOW } from "../../src/jobs/job.ts";
import { removalsOf } from "../../src/cluster/retention.ts";
import type { WorkflowRow } from "../../src/jobs/workflow.ts";
import { NOTHING_WANTED, type ShardChanges } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobId } from "../support/job-row.ts";
import { anAttemptRow, anOutputRow, ANY, placeOf } from "../support/store-rows.ts";
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
    const cold = await shards.readCold(0, { ...NOTHING_WANTED, workflows: [key] });
    expect(cold.workflows).toMatchObject([{ workflow, steps: changes.workflowSteps }]);
    expect(new Set(cold.workflows[0]?.edges)).toEqual(new Set(changes.edges));
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

  test("are removed in one commit that hides their jobs, whose rows go after it", async () => {
    const { shards, jobs, workflows } = given.store;
    const owner = await claimed(shards);
    const [kept, due] = [ended("kept", { purgeAt: 11 }), ended("due", { lines: 600 })];
    const labels = { team: "ü" };
    await owner.commit(kept.changes);
    const before = await counts();
    await owner.commit({
      ...due.changes,
      inserted: due.jobs.map((job) => ({ ...job, labels })),
    });
    const place = placeOf(due.key);
    const seen = async () => ({
      workflow: await workflows.whole(place, due.key.id),
      found: await Promise.all(due.jobs.map(async ({ id }) => await jobs.find(place, id))),
      listed: await jobs.list(place, { ...ANY, workflowId: due.key.id }, null, 10),
      all: (await jobs.list(place, ANY, null, 10)).length,
      byState: (await jobs.list(place, { ...ANY, states: ["SUCCEEDED", "FAILED"] }, null, 10))
        .length,
      byLabel: (await jobs.list(place, { ...ANY, labels }, null, 10)).length,
      changed: (await jobs.changedSince(place, ANY, { revision: 0, id: "" }, 10)).length,
      counts: await Promise.all(
        [{}, { states: ["SUCCEEDED" as const] }, { labels }].map(
          async (filter) => await jobs.count(place, { ...ANY, ...filter }),
        ),
      ),
    });
    const whole = await seen();
    expect(whole).toMatchObject({ all: 6, byState: 6, byLabel: 3, changed: 6, counts: [6, 6, 3] });

    const purgeable = { ...due.key, stepCount: 3 };
    expect(await shards.purgeableWorkflows(0, 10, 2)).toEqual([purgeable]);
    expect(await shards.purgeable(0, 10, 10)).toEqual([]);
    await owner.commit({
      purgedWorkflows: [{ ...due.key, requestId: "due" }],
      retired: due.jobs.map((job) => ({ ...job, revision: 2 })),
    });
    const nothing = {
      ...{ workflow: null, found: [null, null, null], listed: [], byLabel: 0 },
      ...{ all: 3, byState: 3, changed: 3, counts: [3, 3, 0] },
    };
    expect(await seen()).toEqual(nothing);
    // Whoever saw the jobs at revision 2 cannot be told that they are gone.
    expect(await jobs.revision(0)).toEqual({ current: 3, compacted: 2 });
    expect(await shards.purgeableWorkflows(0, 10, 2)).toEqual([]);
    expect((await shards.load(0)).jobs).toEqual([]);

    for (;;) {
      const left = await shards.purgeable(0, 10, 2);
      if (left.length === 0) break;
      const removals = await removalsOf(shards, 0, left);
      await owner.commit({
        purged: removals.filter(({ output }) => output === null).map(({ job }) => job),
        purgedOutput: removals.flatMap(({ job, output }) =>
          (output ?? []).map((seq) => ({ ...job, jobId: job.id, seq })),
        ),
      });
      expect(await seen()).toEqual(nothing);
    }
    expect(await counts()).toEqual(before);
    expect(await jobs.count(place, ANY)).toBe(3);
    expect(await shards.purgeableWorkflows(0, 11, 10)).toHaveLength(1);
  });
});
