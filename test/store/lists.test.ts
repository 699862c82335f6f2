import { beforeEach, describe, expect, test } from "vitest";

import type { UserId, WorkflowId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import type { JobFilter } from "../../src/store/store.ts";
import { claimed, type TestOwner } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobRow } from "../support/job-row.ts";
import { ACME, ANY, GLOBEX, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const ANN = "ann" as UserId;
const BOB = "bob" as UserId;

const FLOW = "flow" as WorkflowId;

/** From the oldest to the newest. */
const JOBS: readonly JobRow[] = [
  aJobRow({ name: "0", state: "QUEUED", createdAt: 10, labels: { team: "a" }, creatorId: ANN }),
  aJobRow({ name: "1", state: "RUNNING", createdAt: 20, type: "mail", creatorId: ANN, runAs: BOB }),
  aJobRow({ name: "2", state: "QUEUED", createdAt: 20, labels: { team: "a", site: "x" } }),
  aJobRow({ name: "3", state: "FAILED", createdAt: 30, endedAt: 31, type: "mailing", runAs: BOB }),
  aJobRow({ name: "4", state: "QUEUED", createdAt: 40, labels: { team: "b" }, workflowId: FLOW }),
  aJobRow({ name: "5", state: "SUCCEEDED", createdAt: 50, endedAt: 51, labels: { team: "A" } }),
];

const FILTERS: readonly (readonly [string, Partial<JobFilter>, string])[] = [
  ["everything", {}, "543210"],
  ["one state", { states: ["QUEUED"] }, "420"],
  ["several states", { states: ["SUCCEEDED", "RUNNING", "QUEUED"] }, "54210"],
  ["a state that none is in", { states: ["HELD"] }, ""],
  ["a type", { type: "mail" }, "1"],
  ["a label", { labels: { team: "a" } }, "20"],
  ["two labels", { labels: { team: "a", site: "x" } }, "2"],
  ["a label that none has", { labels: { team: "a", site: "y" } }, ""],
  ["a label's name with another's value", { labels: { site: "a" } }, ""],
  ["a creator", { creatorId: ANN }, "10"],
  ["a time and later", { createdAfter: 20 }, "54321"],
  ["before a time", { createdBefore: 20 }, "0"],
  ["between two times", { createdAfter: 20, createdBefore: 40 }, "321"],
  ["a workflow", { workflowId: "flow" }, "4"],
  ["a workflow in two states", { workflowId: "flow", states: ["QUEUED", "RUNNING"] }, "4"],
  ["a workflow with a label", { workflowId: "flow", labels: { team: "b" } }, "4"],
  ["a workflow of somebody else", { workflowId: "flow", visibleTo: BOB }, ""],
  ["what a user made or acts in", { visibleTo: BOB }, "31"],
  ["what a user made and acts in", { visibleTo: ANN }, "10"],
  ["a label in two states", { labels: { team: "a" }, states: ["QUEUED", "RUNNING"] }, "20"],
  [
    "everything at once",
    {
      states: ["RUNNING", "FAILED"],
      type: "mail",
      creatorId: ANN,
      createdAfter: 1,
      visibleTo: BOB,
    },
    "1",
  ],
];

describe.each(ENGINES)("lists on %s", (engine) => {
  const given = withStore(engine);
  const place = placeOf({ organizationId: ACME });
  let owner: TestOwner;

  beforeEach(async () => {
    owner = await claimed(given.store.shards);
    const others = JOBS.map((job) => ({ ...job, organizationId: GLOBEX, name: "not ours" }));
    const step = { workflowId: FLOW, position: 0, name: "step" };
    const workflowSteps = [...JOBS, ...others]
      .filter(({ workflowId }) => workflowId === FLOW)
      .map(({ organizationId, id }) => ({ ...step, organizationId, jobId: id }));
    await owner.commit({ inserted: [...JOBS, ...others].toReversed(), workflowSteps });
  });

  const namesOf = (jobs: readonly JobRow[]): string => jobs.map(({ name }) => name).join("");

  test.each(FILTERS)("show %s, newest first, and count it", async (_, filter, names) => {
    const { jobs } = given.store;
    const full = { ...ANY, ...filter };
    expect(namesOf(await jobs.list(place, full, null, 10))).toBe(names);
    expect(await jobs.count(place, full)).toBe(names.length);
  });

  test.each(FILTERS)("page through %s by the last id", async (_, filter, names) => {
    const seen: JobRow[] = [];
    for (;;) {
      const before = seen.at(-1)?.id ?? null;
      const page = await given.store.jobs.list(place, { ...ANY, ...filter }, before, 2);
      seen.push(...page);
      if (page.length < 2) break;
    }
    expect(namesOf(seen)).toBe(names);
  });

  test("keep their pages when jobs come and change between them", async () => {
    const { jobs } = given.store;
    const first = await jobs.list(place, ANY, null, 3);
    const [running] = JOBS.filter(({ state }) => state === "RUNNING");
    await owner.commit({
      inserted: [aJobRow({ name: "6" })],
      updated: running === undefined ? [] : [{ ...running, state: "SUCCEEDED", endedAt: 60 }],
    });
    const second = await jobs.list(place, ANY, first.at(-1)?.id ?? null, 3);
    expect(namesOf([...first, ...second])).toBe("543210");
  });

  test("show jobs whole", async () => {
    const [job] = await given.store.jobs.list(place, { ...ANY, labels: { site: "x" } }, null, 1);
    expect(job).toEqual({ ...JOBS[2], revision: 1 });
    const [running] = await given.store.jobs.list(
      place,
      { ...ANY, states: ["RUNNING", "HELD"] },
      null,
      1,
    );
    expect(running).toEqual({ ...JOBS[1], revision: 1 });
  });

  test("by label follow a job through its changes", async () => {
    const [queued] = JOBS;
    if (queued === undefined) return;
    await owner.commit({ updated: [{ ...queued, state: "RUNNING", startedAt: 11 }] });
    const filter = { ...ANY, labels: { team: "a" }, states: ["RUNNING" as const] };
    expect(namesOf(await given.store.jobs.list(place, filter, null, 10))).toBe("0");
  });
});
