import { describe, expect, test } from "vitest";

import { LIMITS } from "../../src/jobs/limits.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import { aStepRow, GLOBEX, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

describe.each(ENGINES)("the steps of jobs on %s", (engine) => {
  const given = withStore(engine);

  test("a step that is written twice keeps what it came to first", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const job = aJobRow();
    await owner.commit({ inserted: [job], specs: [aSpecRow(job)] });
    await owner.commit({ steps: [aStepRow(job, { name: "a", result: '"first"' })] });
    await owner.commit({
      steps: [
        aStepRow(job, { name: "b", result: "2", writtenAt: 8 }),
        aStepRow(job, { name: "a", attempt: 2, result: '"again"', writtenAt: 9 }),
      ],
    });
    expect(await jobs.steps(placeOf(job), job.id)).toEqual([
      { name: "a", result: '"first"' },
      { name: "b", result: "2" },
    ]);
  });

  test("they are those of one job, in the order of their ends", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const job = aJobRow();
    const colleague = aJobRow();
    const foreign = aJobRow({ organizationId: GLOBEX, id: job.id });
    const all = [job, colleague, foreign];
    await owner.commit({
      inserted: all,
      specs: all.map((one) => aSpecRow(one)),
      steps: [
        aStepRow(job, { name: "z", writtenAt: 1 }),
        aStepRow(job, { name: "a", writtenAt: 3 }),
        aStepRow(job, { name: "m", writtenAt: 2 }),
        aStepRow(colleague, { name: "theirs" }),
        aStepRow(foreign, { name: "not yours" }),
      ],
    });
    const names = (await jobs.steps(placeOf(job), job.id)).map(({ name }) => name);
    expect(names).toEqual(["z", "m", "a"]);
  });

  test("names differ by any character, and the longest names and results come back whole", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const job = aJobRow();
    await owner.commit({ inserted: [job], specs: [aSpecRow(job)] });
    const names = ["a", "A", "a ", "ä", "界".repeat(LIMITS.stepNameLength), "🚚".repeat(50)];
    const result = JSON.stringify("é".repeat((LIMITS.stepResultBytes - 2) / 2));
    await owner.commit({
      steps: names.map((name, index) => aStepRow(job, { name, result, writtenAt: index })),
    });
    expect(await jobs.steps(placeOf(job), job.id)).toEqual(names.map((name) => ({ name, result })));
  });
});
