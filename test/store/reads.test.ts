/** How many rows MariaDB touches for what is read again and again, beside many rows that do not matter. */
import { afterAll, beforeAll, expect, test } from "vitest";

import type { DeliveryId, HookId, JobId, UserId, WorkflowId } from "../../src/jobs/ids.ts";
import { createDeliveryStore } from "../../src/store/deliveries.ts";
import type { Engine } from "../../src/store/engine.ts";
import { openEngine } from "../../src/store/engines/open.ts";
import { createHookStore } from "../../src/store/hooks.ts";
import { createIdentityStore } from "../../src/store/identity.ts";
import { createJobReader } from "../../src/store/jobs.ts";
import { pageOfActive } from "../../src/store/load.ts";
import { createMetricStore } from "../../src/store/points.ts";
import { readOutputLeft, readPurgeable } from "../../src/store/purgeable.ts";
import { readPurgeableWorkflows } from "../../src/store/purgeable-workflows.ts";
import { readResults } from "../../src/store/results.ts";
import { createScheduleStore } from "../../src/store/schedules.ts";
import { createWorkflowReader } from "../../src/store/workflow-reader.ts";
import { readActiveWorkflows } from "../../src/store/workflows.ts";
import type { TestDatabase } from "../support/databases.ts";
import { fillWithMany, MANY } from "../support/many-rows.ts";
import { ACME, ANY, placeOf } from "../support/store-rows.ts";
import { createMigrated } from "../support/templates.ts";

const place = placeOf({ organizationId: ACME });
const ADA = "ada" as UserId;
const LAST = "j99999" as JobId;
let database: TestDatabase;
let engine: Engine;
beforeAll(async () => {
  database = await createMigrated("mysql", 2);
  await fillWithMany(database);
  engine = await openEngine(database.url, { poolSize: 1 });
});
afterAll(async () => {
  await engine.close();
  await database.drop();
});

/** Rows and entries of indexes that the one connection has read so far. */
const readSoFar = async (): Promise<number> => {
  const [rows] = (await engine.knex.raw("SHOW SESSION STATUS LIKE 'Handler_read%'")) as [
    { Variable_name: string; Value: string }[],
  ];
  return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
};

const costOf = async (ask: () => Promise<unknown>): Promise<number> => {
  await ask();
  const before = await readSoFar();
  const asked = await readSoFar();
  await ask();
  return (await readSoFar()) - asked - (asked - before);
};

const page = { before: null, limit: 10 };
const jobs = () => createJobReader(engine);
const deliveries = () => createDeliveryStore(engine);
const workflows = () => createWorkflowReader(engine);

/** Each asks for ten, where it can. */
const READS: readonly (readonly [what: string, most: number, ask: () => Promise<unknown>])[] = [
  ["all jobs", 50, () => jobs().list(place, ANY, LAST, 10)],
  ["jobs of one state", 50, () => jobs().list(place, { ...ANY, states: ["RUNNING"] }, LAST, 10)],
  [
    "jobs of two states",
    100,
    () => jobs().list(place, { ...ANY, states: ["RUNNING", "FAILED"] }, LAST, 10),
  ],
  ["a user's jobs", 100, () => jobs().list(place, { ...ANY, visibleTo: ADA }, LAST, 10)],
  [
    "a user's failed jobs",
    700,
    () => jobs().list(place, { ...ANY, visibleTo: ADA, states: ["RUNNING"] }, LAST, 10),
  ],
  ["jobs by label", 100, () => jobs().list(place, { ...ANY, labels: { team: "a" } }, LAST, 10)],
  ["jobs of a workflow", 50, () => jobs().list(place, { ...ANY, workflowId: "w00007" }, null, 10)],
  ["changes", 60, () => jobs().changedSince(place, ANY, { revision: 2_000, id: "" }, 10)],
  [
    "changes of a workflow",
    60,
    () => jobs().changedSince(place, { ...ANY, workflowId: "w00007" }, { revision: 1, id: "" }, 10),
  ],
  ["a count", 30, () => jobs().count(place, { ...ANY, states: ["RUNNING"] })],
  ["attempts", 5, () => jobs().attempts(place, LAST)],
  ["output", 30, () => jobs().output(place, "j00007" as JobId, 3, 10)],
  [
    "results",
    10,
    () =>
      readResults(engine, 0, [
        { organizationId: ACME, id: LAST },
        { organizationId: ACME, id: "j00001" as JobId },
      ]),
  ],
  [
    "all workflows",
    50,
    () => workflows().list(place, { states: [], visibleTo: null }, "w99999" as WorkflowId, 10),
  ],
  [
    "running workflows",
    50,
    () =>
      workflows().list(place, { states: ["RUNNING"], visibleTo: null }, "w99999" as WorkflowId, 10),
  ],
  [
    "failed and running workflows",
    100,
    () => workflows().list(place, { states: ["RUNNING", "FAILED"], visibleTo: null }, null, 10),
  ],
  [
    "a user's workflows",
    50,
    () => workflows().list(place, { states: [], visibleTo: ADA }, null, 10),
  ],
  [
    "a user's running workflows",
    300,
    () => workflows().list(place, { states: ["RUNNING"], visibleTo: ADA }, null, 10),
  ],
  ["a whole workflow", 80, () => workflows().whole(place, "w00007" as WorkflowId)],
  ["active workflows", 300, () => readActiveWorkflows(engine, 0)],
  ["active jobs", 50, async () => (await pageOfActive(engine, 0, undefined)) as unknown],
  ["jobs to be removed", 60, () => readPurgeable(engine, 0, 1_000_000 + MANY, 10)],
  ["no jobs to be removed", 10, () => readPurgeable(engine, 0, 5, 10)],
  ["workflows to be removed", 900, () => readPurgeableWorkflows(engine, 0, 1_000_000 + MANY, 100)],
  ["no workflows to be removed", 10, () => readPurgeableWorkflows(engine, 0, 5, 100)],
  [
    "output that is left",
    30,
    () => readOutputLeft(engine, 0, { organizationId: ACME, id: "j00007" as JobId }, 10),
  ],
  ["receivers", 60, () => deliveries().receivers(0, null, 10)],
  [
    "what waits for a receiver",
    60,
    () => deliveries().waiting(0, { origin: "https://a.example", organizationId: ACME }, [], 10),
  ],
  [
    "what else waits for a receiver",
    60,
    () =>
      deliveries().waiting(
        0,
        { origin: "https://a.example", organizationId: ACME },
        ["d00000" as DeliveryId],
        10,
      ),
  ],
  [
    "notices of a job",
    10,
    () => deliveries().list(place, { of: { jobId: LAST }, states: [], callbacksOnly: false }, page),
  ],
  [
    "notices of a hook",
    60,
    () =>
      deliveries().list(
        place,
        { of: { hookId: "h" as HookId }, states: [], callbacksOnly: false },
        page,
      ),
  ],
  [
    "failed notices of a hook",
    21_000,
    () =>
      deliveries().list(
        place,
        { of: { hookId: "h" as HookId }, states: ["FAILED"], callbacksOnly: false },
        page,
      ),
  ],
  ["tries", 5, () => deliveries().tries(place, "d00007" as DeliveryId)],
  ["notices to be removed", 60, () => deliveries().purgeable(0, 1_000_000 + MANY, 10)],
  [
    "what a hook owes",
    21_000,
    () => createHookStore(engine).pending(place, "h" as HookId, { after: null, limit: 10 }),
  ],
  [
    "points",
    60,
    () =>
      createMetricStore(engine).points(
        place,
        { resolution: "MINUTE", from: 60_000 * 100, until: 60_000 * 250, types: [] },
        { at: 60_000 * 150, type: "t5", writer: 1 },
        10,
      ),
  ],
  [
    "points of a type",
    120,
    () =>
      createMetricStore(engine).points(
        place,
        { resolution: "MINUTE", from: 60_000 * 100, until: 60_000 * 250, types: ["t5"] },
        null,
        10,
      ),
  ],
  ["due schedules", 100, () => createScheduleStore(engine).due([0, 1], 1_000_000 + MANY, 10)],
  ["no due schedules", 20, () => createScheduleStore(engine).due([0, 1], 5, 10)],
  [
    "tokens",
    60,
    () => createIdentityStore(engine).listTokens(ACME, null, { after: null, limit: 10 }),
  ],
  [
    "tokens of a user",
    60,
    () => createIdentityStore(engine).listTokens(ACME, ADA, { after: null, limit: 10 }),
  ],
  ["changes of identity", 60, () => createIdentityStore(engine).changesSince(1_000_000)],
  ["audit", 60, () => createIdentityStore(engine).listAudit(place, null, page)],
  ["audit of a subject", 60, () => createIdentityStore(engine).listAudit(place, "s7", page)],
];

test.each(READS)("%s: at most %i rows are read", async (_, most, ask) => {
  expect(await costOf(ask)).toBeLessThanOrEqual(most);
});
