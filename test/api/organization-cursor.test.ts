import { describe, expect, it } from "vitest";

import {
  advance,
  coveredBy,
  coveredThrough,
  later,
  newsOfCommit,
  sentInSnapshot,
  startAt,
  unsent,
} from "../../src/api/watch/organization-cursor.ts";
import { aJobRow } from "../support/job-row.ts";

const commit = (revision: number, ...jobs: ReturnType<typeof aJobRow>[]) => ({
  revision,
  jobs: jobs.map((job) => ({ ...job, revision })),
  output: [],
});

describe("the cursor of a watched organization", () => {
  it("takes a commit after it, and stands behind that commit then", () => {
    const job = aJobRow();
    const news = newsOfCommit(startAt(coveredThrough(5)), commit(6, job));
    expect(news?.jobs.map(({ id }) => id)).toEqual([job.id]);
    expect(news?.cursor.position).toEqual(coveredThrough(6));
  });

  it("passes over commits that it covers", () => {
    expect(newsOfCommit(startAt(coveredThrough(5)), commit(5, aJobRow()))).toBeNull();
  });

  it("takes the rest of a revision of which a page was sent", () => {
    const [first, second] = [aJobRow({ revision: 6 }), aJobRow({ revision: 6 })];
    const news = newsOfCommit(startAt(coveredBy(first)), commit(6, first, second));
    expect(news?.jobs.map(({ id }) => id)).toEqual([second.id]);
  });

  it("never lets an older state of a job follow the newer one that a snapshot found", () => {
    const job = aJobRow();
    const seen = sentInSnapshot(startAt(coveredThrough(5)), [{ ...job, revision: 8 }]);
    const older = newsOfCommit(seen, commit(6, job));
    expect(older?.jobs).toEqual([]);
    const same = newsOfCommit(older?.cursor ?? seen, commit(8, job));
    expect(same?.jobs).toEqual([]);
    const newer = newsOfCommit(same?.cursor ?? seen, commit(9, job));
    expect(newer?.jobs).toHaveLength(1);
  });

  it("forgets what was sent ahead once it has passed it", () => {
    const job = aJobRow();
    const seen = sentInSnapshot(startAt(coveredThrough(5)), [{ ...job, revision: 8 }]);
    expect(seen.ahead.size).toBe(1);
    expect(advance(seen, coveredThrough(8)).ahead.size).toBe(0);
  });

  it("keeps nothing of rows that it speaks for anyway", () => {
    expect(sentInSnapshot(startAt(coveredThrough(5)), [aJobRow({ revision: 5 })]).ahead.size).toBe(
      0,
    );
    expect(unsent(startAt(coveredThrough(5)), [aJobRow({ revision: 6 })])).toHaveLength(1);
  });

  it("moves forward only", () => {
    expect(later(coveredThrough(3), coveredThrough(4))).toEqual(coveredThrough(4));
    const row = aJobRow({ revision: 5 });
    expect(later(coveredBy(row), coveredThrough(4))).toEqual(coveredBy(row));
    expect(later(coveredThrough(5), coveredBy(row))).toEqual(coveredThrough(5));
  });
});
