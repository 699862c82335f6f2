import { describe, expect, test } from "vitest";

import type { JobId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobRow } from "../support/job-row.ts";
import { ACME, ANY, GLOBEX, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const place = placeOf({ organizationId: ACME });
const START = { revision: 0, id: "" } as const;

describe.each(ENGINES)("changes since a revision on %s", (engine) => {
  const given = withStore(engine);

  /** All pages of two from `after` on. */
  const readAll = async (
    after: { readonly revision: number; readonly id: JobId | "" },
    filter = ANY,
  ): Promise<JobRow[]> => {
    const seen: JobRow[] = [];
    for (;;) {
      const last = seen.at(-1) ?? after;
      const page = await given.store.jobs.changedSince(place, filter, last, 2);
      seen.push(...page);
      if (page.length < 2) return seen;
    }
  };

  test("come oldest first, each job once, in its latest state", async () => {
    const owner = await claimed(given.store.shards);
    const jobs = Array.from({ length: 5 }, () => aJobRow());
    const [one, two, three, four, five] = jobs as [JobRow, JobRow, JobRow, JobRow, JobRow];
    await owner.commit({ inserted: [one, two, three] });
    await owner.commit({ inserted: [four, five], updated: [{ ...two, state: "RUNNING" }] });
    await owner.commit({ updated: [{ ...one, state: "SUCCEEDED", endedAt: 1 }] });
    const changes = await readAll(START);
    expect(changes.map(({ id, revision, state }) => [id, revision, state])).toEqual([
      [three.id, 1, "QUEUED"],
      [two.id, 2, "RUNNING"],
      [four.id, 2, "QUEUED"],
      [five.id, 2, "QUEUED"],
      [one.id, 3, "SUCCEEDED"],
    ]);
  });

  test("begin after the place given, within a revision too", async () => {
    const owner = await claimed(given.store.shards);
    const jobs = Array.from({ length: 7 }, () => aJobRow());
    await owner.commit({ inserted: jobs });
    for (const [at, job] of jobs.entries()) {
      const later = await readAll({ revision: 1, id: job.id });
      expect(later.map(({ id }) => id)).toEqual(jobs.slice(at + 1).map(({ id }) => id));
    }
  });

  test("are only those of the organization, and only those that match", async () => {
    const owner = await claimed(given.store.shards);
    const ours = aJobRow({ labels: { team: "a" } });
    const plain = aJobRow({ type: "mail" });
    await owner.commit({ inserted: [ours, plain, aJobRow({ organizationId: GLOBEX })] });
    expect((await readAll(START)).map(({ id }) => id)).toEqual([ours.id, plain.id]);
    const labelled = await readAll(START, { ...ANY, labels: { team: "a" } });
    expect(labelled.map(({ id }) => id)).toEqual([ours.id]);
    const typed = await readAll(START, { ...ANY, type: "mail", states: ["QUEUED", "RUNNING"] });
    expect(typed.map(({ id }) => id)).toEqual([plain.id]);
  });

  test("miss nothing while commits go on between the pages", async () => {
    const owner = await claimed(given.store.shards);
    const jobs = Array.from({ length: 12 }, () => aJobRow());
    await owner.commit({ inserted: jobs });
    const latest = new Map<string, number>();
    let after: { revision: number; id: JobId | "" } = START;
    for (const job of jobs) {
      const page = await given.store.jobs.changedSince(place, ANY, after, 3);
      for (const { id, revision } of page) latest.set(id, revision);
      after = page.at(-1) ?? after;
      await owner.commit({ updated: [{ ...job, state: "RUNNING" }] });
    }
    for (const { id, revision } of await readAll(after)) latest.set(id, revision);
    const now = await given.store.jobs.list(place, ANY, null, 100);
    expect(latest).toEqual(new Map(now.map(({ id, revision }) => [id, revision])));
  });
});
