import { expect, test } from "vitest";

import type { UserId, WorkflowId } from "../../src/jobs/ids.ts";
import type { WorkflowState } from "../../src/jobs/workflow.ts";
import type { Engine } from "../../src/store/engine.ts";
import { openEngine } from "../../src/store/engines/open.ts";
import { readCold } from "../../src/store/cold.ts";
import { createIdentityStore } from "../../src/store/identity.ts";
import { pageOfActive } from "../../src/store/load.ts";
import { createJobReader } from "../../src/store/jobs.ts";
import { readOutputLeft, readPurgeable, removeAudit } from "../../src/store/purgeable.ts";
import { readPurgeableWorkflows } from "../../src/store/purgeable-workflows.ts";
import { readResults } from "../../src/store/results.ts";
import { createScheduleStore } from "../../src/store/schedules.ts";
import { readSchema } from "../../src/store/open.ts";
import { type JobFilter, type JobReader, NOTHING_WANTED } from "../../src/store/store.ts";
import { createWorkflowReader } from "../../src/store/workflow-reader.ts";
import { aJobId } from "../support/job-row.ts";
import { ACME, ANY, placeOf } from "../support/store-rows.ts";

const place = placeOf({ organizationId: ACME });
const PRIMARY = "sqlite_autoindex_jobs_1 (shard_id=? AND organization_id=?";

/** How SQLite, which has no statistics to go by, answers what `ask` asks. */
const planOf = async (ask: (jobs: JobReader) => Promise<unknown>, at = 0): Promise<string> =>
  await planOn(async (engine) => await ask(createJobReader(engine)), at);

/** A count asks first whether rows of removed jobs are still to go. */
const countPlan = async (filter: JobFilter): Promise<string> => {
  const ask = async (jobs: JobReader): Promise<number> => await jobs.count(place, filter);
  expect(await planOf(ask)).toContain("jobs_by_purge (shard_id=? AND purge_at=?)");
  return await planOf(ask, 1);
};

/** @param at which of the questions, if there are several */
const planOn = async (ask: (engine: Engine) => Promise<unknown>, at = 0): Promise<string> => {
  const engine = await openEngine("sqlite::memory:", {});
  await engine.script(await readSchema());
  const asked: { sql: string; bindings: string[] }[] = [];
  engine.knex.on("query", (query: { sql: string; bindings: string[] }) => {
    asked.push(query);
  });
  await ask(engine);
  const query = asked[at];
  if (query === undefined) throw new Error("nothing was asked");
  const plan: { detail: string }[] = await engine.knex.raw(
    `EXPLAIN QUERY PLAN ${query.sql}`,
    query.bindings,
  );
  await engine.close();
  return plan.map(({ detail }) => detail).join("\n");
};

test("a list of everything walks the primary key backwards, without sorting", async () => {
  const plan = await planOf(async (jobs) => await jobs.list(place, ANY, aJobId(), 10));
  expect(plan).toContain(`${PRIMARY} AND id<?)`);
  expect(plan).not.toContain("TEMP B-TREE");
});

test("a list by state reads that state alone, from the id on", async () => {
  const filter = { ...ANY, states: ["RUNNING" as const] };
  const plan = await planOf(async (jobs) => await jobs.list(place, filter, aJobId(), 10));
  expect(plan).toContain("jobs_by_state (organization_id=? AND state=? AND id<?)");
  expect(plan).not.toContain("TEMP B-TREE");
});

test("a list by several states reads each of them alone", async () => {
  const filter = { ...ANY, states: ["RUNNING" as const, "QUEUED" as const] };
  const plan = await planOf(async (jobs) => await jobs.list(place, filter, null, 10));
  expect(plan.match(/jobs_by_state \(organization_id=\? AND state=\?\)/g)).toHaveLength(2);
});

test("what a user sees is read as his own jobs and those that act for him, never as all", async () => {
  const user = "ada" as UserId;
  for (const states of [[], ["FAILED" as const], ["FAILED" as const, "QUEUED" as const]]) {
    const filter = { ...ANY, visibleTo: user, states };
    const plan = await planOf(async (jobs) => await jobs.list(place, filter, aJobId(), 10));
    const parts = Math.max(1, states.length);
    const of = (index: string, column: string): RegExp =>
      new RegExp(`${index} \\(organization_id=\\? AND ${column}=\\? AND id<\\?\\)`, "g");
    expect(plan.match(of("jobs_by_creator", "creator_id"))).toHaveLength(parts);
    expect(plan.match(of("jobs_by_run_as", "run_as"))).toHaveLength(parts);
    expect(plan).not.toContain("jobs_by_state");
  }
  const count = await countPlan({ ...ANY, visibleTo: user });
  expect(count).toContain("jobs_by_creator (organization_id=? AND creator_id=?");
});

test("a list of a creator's jobs reads those alone", async () => {
  const filter = { ...ANY, creatorId: "ada" as UserId };
  const plan = await planOf(async (jobs) => await jobs.list(place, filter, aJobId(), 10));
  expect(plan).toContain("jobs_by_creator (organization_id=? AND creator_id=? AND id<?)");
  expect(plan).not.toContain("TEMP B-TREE");
});

test("the jobs of a workflow are read by its steps, and by nothing else", async () => {
  const filter = { ...ANY, workflowId: "flow", states: ["RUNNING" as const, "QUEUED" as const] };
  const after = { revision: 7, id: aJobId() };
  for (const ask of [
    async (jobs: JobReader) => await jobs.list(place, filter, null, 10),
    async (jobs: JobReader) => await jobs.changedSince(place, filter, after, 10),
  ]) {
    const plan = await planOf(ask);
    expect(plan.split("\n")[0]).toMatch(/SEARCH s .*organization_id=\? AND workflow_id=\?\)/);
    expect(plan).toMatch(/SEARCH j .*\(shard_id=\? AND organization_id=\? AND id=\?\)/);
  }
});

test("a list of workflows walks those of the state, or of the user, newest first", async () => {
  const ada = "ada" as UserId;
  const planFor = async (states: readonly WorkflowState[], visibleTo: UserId | null) =>
    await planOn(async (engine) => {
      const before = aJobId() as string as WorkflowId;
      await createWorkflowReader(engine).list(place, { states, visibleTo }, before, 10);
    });
  const plans = [
    [await planFor([], null), "(shard_id=? AND organization_id=? AND id<?)"],
    [
      await planFor(["RUNNING"], null),
      "workflows_by_state (organization_id=? AND state=? AND id<?)",
    ],
    [await planFor([], ada), "workflows_by_creator (organization_id=? AND creator_id=? AND id<?)"],
    [
      await planFor(["FAILED"], ada),
      "workflows_by_creator (organization_id=? AND creator_id=? AND id<?)",
    ],
  ] as const;
  for (const [plan, expected] of plans) {
    expect(plan).toContain(expected);
    expect(plan).not.toContain("TEMP B-TREE");
  }
  const both = await planFor(["FAILED", "RUNNING"], null);
  expect(both.match(/workflows_by_state \(organization_id=\? AND state=\?/g)).toHaveLength(2);
});

test("a list by label starts at the label, from the id on", async () => {
  const filter = { ...ANY, labels: { team: "a" }, states: ["RUNNING" as const] };
  const plan = await planOf(async (jobs) => await jobs.list(place, filter, aJobId(), 10));
  expect(plan.split("\n")[0]).toMatch(/SEARCH l .*name=\? AND value=\? AND job_id<\?\)/);
  expect(plan).toContain("id=?)");
  expect(plan).not.toContain("TEMP B-TREE");
});

test("a count by state does not walk all jobs", async () => {
  const plan = await countPlan({ ...ANY, states: ["RUNNING"] });
  expect(plan).toContain("jobs_by_state (organization_id=? AND state=?");
});

test("changes are read from the revision on, without sorting", async () => {
  const after = { revision: 7, id: aJobId() };
  const plan = await planOf(async (jobs) => await jobs.changedSince(place, ANY, after, 10));
  expect(plan).toContain("jobs_by_revision (organization_id=? AND revision>?");
  expect(plan).not.toContain("TEMP B-TREE");
});

test("what retention may remove is a range of its index, in order", async () => {
  const plan = await planOn(async (engine) => await readPurgeable(engine, 0, 7, 10));
  expect(plan).toContain("SEARCH j USING INDEX jobs_by_purge (shard_id=? AND purge_at<?)");
  expect(plan).toContain("SEARCH s USING INDEX sqlite_autoindex_job_specs_1");
  expect(plan).not.toContain("TEMP B-TREE");
});

test("workflows that may be removed, and their jobs, are ranges of indexes", async () => {
  const workflows = await planOn(async (engine) => await readPurgeableWorkflows(engine, 0, 7, 10));
  expect(workflows).toContain("INDEX workflows_by_purge (shard_id=? AND purge_at<?)");
  expect(workflows).not.toContain("TEMP B-TREE");
});

test("what jobs came to is read by two primary keys", async () => {
  const key = { organizationId: ACME, id: aJobId() };
  const plan = await planOn(async (engine) => await readResults(engine, 0, [key]));
  expect(plan).toContain("SEARCH j USING INDEX sqlite_autoindex_jobs_1");
  expect(plan).toContain("SEARCH a USING INDEX sqlite_autoindex_job_attempts_1");
});

test("the output that a job has left, and old lines of the audit log, are ranges of primary keys", async () => {
  const job = { organizationId: ACME, id: aJobId() };
  const output = await planOn(async (engine) => await readOutputLeft(engine, 0, job, 10));
  expect(output).toContain("sqlite_autoindex_job_output_1 (shard_id=? AND organization_id=? AND");
  const audit = await planOn(async (engine) => await removeAudit(engine, place, 7, 10));
  expect(audit).toContain(
    "sqlite_autoindex_audit_log_1 (shard_id=? AND organization_id=? AND id<?)",
  );
  expect(`${output}${audit}`).not.toContain("TEMP B-TREE");
});

test("schedules that are due are a range of their index for each shard", async () => {
  const plan = await planOn(async (engine) => await createScheduleStore(engine).due([0, 1], 7, 9));
  expect(plan).toContain("schedules_by_time (shard_id=? AND next_fire_at<?)");
});

test("a page of the audit log is a range, also of one subject, without sorting", async () => {
  const page = { before: aJobId(), limit: 10 };
  const all = await planOn(
    async (engine) => await createIdentityStore(engine).listAudit(place, null, page),
  );
  expect(all).toContain("sqlite_autoindex_audit_log_1 (shard_id=? AND organization_id=? AND id<?)");
  const ofOne = await planOn(
    async (engine) => await createIdentityStore(engine).listAudit(place, "x", page),
  );
  expect(ofOne).toContain("audit_log_by_subject (organization_id=? AND subject=? AND id<?)");
  expect(`${all}${ofOne}`).not.toContain("TEMP B-TREE");
});

test("attributes are counted by a range of the primary key for each user", async () => {
  const attributeCounts = ["a", "b"].map((id) => ({ organizationId: ACME, userId: id as UserId }));
  const plan = await planOn(
    async (engine) => await readCold(engine, 0, { ...NOTHING_WANTED, attributeCounts }),
  );
  const range =
    "sqlite_autoindex_user_attributes_1 (shard_id=? AND organization_id=? AND user_id=?)";
  expect(plan.split(range)).toHaveLength(3);
});

test("what has changed in who may do what is read by indexes", async () => {
  for (const [table, at] of [
    ["tokens", 0],
    ["users", 1],
    ["organizations", 2],
  ] as const) {
    const plan = await planOn(
      async (engine) => await createIdentityStore(engine).changesSince(1),
      at + 1,
    );
    expect(plan).toContain(`${table}_by_change (changed_at>?)`);
  }
});

test("an owner loads page by page from the index of active jobs, without sorting", async () => {
  const plan = await planOn(
    async (engine) => (await pageOfActive(engine, 0, { rowid: 7 })) as unknown,
  );
  expect(plan).toContain("jobs_by_purge (shard_id=? AND purge_at=? AND rowid>?)");
  expect(plan).not.toContain("TEMP B-TREE");
});
