import { describe, expect, test } from "vitest";

import type { AttemptRow } from "../../src/jobs/job.ts";
import { OUTPUT_STREAMS } from "../../src/jobs/job.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobRow } from "../support/job-row.ts";
import { anAttemptRow, anOutputRow, GLOBEX, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

describe.each(ENGINES)("attempts and output on %s", (engine) => {
  const given = withStore(engine);

  test("attempts are a timeline, each with all that is known of it", async () => {
    const owner = await claimed(given.store.shards);
    const job = aJobRow();
    const error = { code: "script.threw", message: "no", stack: "", retryable: true };
    const attempts: AttemptRow[] = [
      anAttemptRow(job, { attempt: 1, outcome: "LOST", result: null }),
      anAttemptRow(job, { attempt: 2, outcome: "FAILED", result: null, error }),
      anAttemptRow(job, { attempt: 10, outcome: "CANCELLED", result: null }),
      anAttemptRow(job, { attempt: 11, outcome: "SUCCEEDED", cpuMs: 12, peakMemoryBytes: 2 ** 40 }),
    ];
    await owner.commit({ inserted: [job], attempts: attempts.toReversed() });
    expect(await given.store.jobs.attempts(placeOf(job), job.id)).toEqual(attempts);
    expect(await given.store.jobs.attempts(placeOf({ organizationId: GLOBEX }), job.id)).toEqual(
      [],
    );
  });

  test("the result is that of the attempt that succeeded, and of no other", async () => {
    const { shards, jobs } = given.store;
    const job = aJobRow();
    const failed = anAttemptRow(job, { attempt: 1, outcome: "FAILED", result: null });
    const succeeded = anAttemptRow(job, { attempt: 2, result: "[1]" });
    await (await claimed(shards)).commit({ inserted: [job], attempts: [failed, succeeded] });
    expect(await jobs.result(placeOf(job), job.id, 2)).toBe("[1]");
    expect(await jobs.result(placeOf(job), job.id, 1)).toBeNull();
    expect(await jobs.result(placeOf(job), job.id, 3)).toBeNull();
    expect(await jobs.result(placeOf({ organizationId: GLOBEX }), job.id, 2)).toBeNull();
  });

  test("a result that is stored is never replaced", async () => {
    const { shards, jobs } = given.store;
    const job = aJobRow();
    const owner = await claimed(shards);
    await owner.commit({ inserted: [job], attempts: [anAttemptRow(job)] });
    await expect(owner.commit({ attempts: [anAttemptRow(job, { result: "2" })] })).rejects.toThrow(
      /./,
    );
    expect(await jobs.result(placeOf(job), job.id, 1)).toBe('{"ok":true}');
  });

  test("output comes in its order, from any row on, as much as is asked for", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const job = aJobRow();
    const rows = Array.from({ length: 25 }, (_, seq) =>
      anOutputRow(job, { seq, text: `line ${seq}`, stream: OUTPUT_STREAMS[seq % 3] ?? "LOG" }),
    );
    await owner.commit({ inserted: [job], output: rows.slice(0, 15).toReversed() });
    await owner.commit({ output: [...rows.slice(15), anOutputRow(aJobRow())] });
    const place = placeOf(job);
    expect(await jobs.output(place, job.id, 0, 1_000)).toEqual(rows);
    expect(await jobs.output(place, job.id, 7, 10)).toEqual(rows.slice(7, 17));
    expect(await jobs.output(place, job.id, 25, 10)).toEqual([]);
    expect(await jobs.output(placeOf({ organizationId: GLOBEX }), job.id, 0, 10)).toEqual([]);
  });
});
