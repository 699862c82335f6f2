import { describe, expect, it } from "vitest";

import {
  FROM_THE_START,
  isAhead,
  isOver,
  newsOfCommit,
  newsOfRow,
} from "../../src/api/watch/job-cursor.ts";
import type { JobRow, OutputRow } from "../../src/jobs/job.ts";
import { aJobRow } from "../support/job-row.ts";

const output = (job: JobRow, seq: number): OutputRow => ({
  organizationId: job.organizationId,
  jobId: job.id,
  seq,
  attempt: 1,
  stream: "STDOUT",
  text: `line ${seq}`,
  writtenAt: 0,
});

const job = aJobRow({ state: "RUNNING", revision: 7, outputCount: 3 });
const other = aJobRow({ revision: 7, outputCount: 9 });

describe("the cursor of a watched job", () => {
  it("takes a commit that follows it, and the output in it", () => {
    const commit = { revision: 7, jobs: [other, job], output: [output(other, 8), output(job, 2)] };
    expect(newsOfCommit({ revision: 5, nextSeq: 2 }, commit, job.id)).toEqual({
      job,
      output: [output(job, 2)],
      cursor: { revision: 7, nextSeq: 3 },
    });
  });

  it("passes over a commit that the snapshot covers, and one that does not touch the job", () => {
    const commit = { revision: 7, jobs: [job], output: [] };
    expect(newsOfCommit({ revision: 7, nextSeq: 3 }, commit, job.id)).toBeNull();
    expect(
      newsOfCommit({ revision: 1, nextSeq: 3 }, { ...commit, jobs: [other] }, job.id),
    ).toBeNull();
  });

  it("leaves out output rows that were sent before", () => {
    const commit = { revision: 7, jobs: [job], output: [output(job, 1), output(job, 2)] };
    expect(newsOfCommit({ revision: 5, nextSeq: 2 }, commit, job.id)).toMatchObject({
      output: [output(job, 2)],
    });
  });

  it("finds a gap when output before the commit was never sent", () => {
    const commit = { revision: 7, jobs: [job], output: [output(job, 2)] };
    expect(newsOfCommit({ revision: 5, nextSeq: 1 }, commit, job.id)).toBe("gap");
    expect(newsOfCommit({ revision: 5, nextSeq: 1 }, { ...commit, output: [] }, job.id)).toBe(
      "gap",
    );
  });

  it("does not send a row again that a resumed watcher has", () => {
    expect(newsOfRow({ revision: 7, nextSeq: 3 }, job, []).job).toBeNull();
    expect(newsOfRow(FROM_THE_START, job, []).job).toBe(job);
  });

  it("is over only after the final state and all of its output", () => {
    const ended = aJobRow({ state: "SUCCEEDED", revision: 9, outputCount: 4 });
    expect(isOver({ revision: 9, nextSeq: 4 }, ended)).toBe(true);
    expect(isOver({ revision: 9, nextSeq: 3 }, ended)).toBe(false);
    expect(isOver({ revision: 8, nextSeq: 4 }, ended)).toBe(false);
    expect(isOver({ revision: 7, nextSeq: 3 }, job)).toBe(false);
  });

  it("is of another history when it knows more than the database", () => {
    expect(isAhead({ revision: 8, nextSeq: 0 }, job)).toBe(true);
    expect(isAhead({ revision: 7, nextSeq: 4 }, job)).toBe(true);
    expect(isAhead({ revision: 7, nextSeq: 3 }, job)).toBe(false);
  });
});
