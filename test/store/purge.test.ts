import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { removalsOf } from "../../src/cluster/retention.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobId, aJobRow, aSpecRow } from "../support/job-row.ts";
import {
  ACME,
  anAttemptRow,
  anOutputRow,
  ANY,
  aRequestRow,
  aStepRow,
  GLOBEX,
  placeOf,
} from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const OF_A_JOB = [
  "jobs",
  "job_labels",
  "job_specs",
  "job_attempts",
  "job_output",
  "job_requests",
  "job_steps",
];

/** An ended job with something in every table. */
const whole = (facts: Partial<JobRow> = {}, lines = 3) => {
  const job = aJobRow({
    state: "FAILED",
    endedAt: 1,
    purgeAt: 10,
    labels: { team: "ü", région: "eu" },
    outputCount: lines,
    ...facts,
  });
  const request = aRequestRow(job, { requestId: `Rückfrage ${job.id}` });
  return {
    inserted: [job],
    specs: [{ ...aSpecRow(job), requestId: request.requestId }],
    attempts: [1, 2].map((attempt) => anAttemptRow(job, { attempt })),
    output: Array.from({ length: lines }, (_, seq) => anOutputRow(job, { seq })),
    requests: [request],
    steps: ["first", "zweiter Schritt"].map((name) => aStepRow(job, { name })),
  } satisfies Partial<ShardChanges>;
};

const merged = (...all: ReturnType<typeof whole>[]): Partial<ShardChanges> => ({
  inserted: all.flatMap(({ inserted }) => inserted),
  specs: all.flatMap(({ specs }) => specs),
  attempts: all.flatMap(({ attempts }) => attempts),
  output: all.flatMap(({ output }) => output),
  requests: all.flatMap(({ requests }) => requests),
  steps: all.flatMap(({ steps }) => steps),
});

describe.each(ENGINES)("retention on %s", (engine) => {
  const given = withStore(engine);

  const counts = async (): Promise<Record<string, number>> => {
    const entries = OF_A_JOB.map(async (table) => {
      const [row] = await given.database.query(`SELECT COUNT(*) AS n FROM ${table}`);
      return [table, Number(row?.["n"])] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  };

  test("finds ended jobs whose time has come, the longest overdue first, and none that live", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    const [late, later] = [whole({ purgeAt: 5 }), whole({ purgeAt: 8 })];
    const active = aJobRow();
    await owner.commit(merged(later, late, whole({ purgeAt: 11 })));
    await owner.commit({ inserted: [active], specs: [aSpecRow(active)] });
    const found = await shards.purgeable(0, 10, 10);
    expect(found).toEqual(
      [late, later].map(({ inserted: [job], requests: [request] }) => ({
        organizationId: ACME,
        id: job?.id,
        revision: 1,
        labels: job?.labels,
        outputCount: 3,
        requestId: request?.requestId,
      })),
    );
    expect(await shards.purgeable(0, 10, 1)).toHaveLength(1);
    expect(await shards.purgeable(1, 10, 10)).toEqual([]);
  });

  test("removes a job with everything that belongs to it, and nothing of others", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const kept = whole({ purgeAt: 11 });
    const foreign = whole({ organizationId: GLOBEX, purgeAt: 12 });
    const gone = Array.from({ length: 150 }, () => whole());
    await owner.commit(merged(kept, foreign, ...gone));
    const before = await counts();
    const purged = await shards.purgeable(0, 10, 200);
    expect(purged).toHaveLength(150);
    await owner.commit({ purged });
    const after = await counts();
    const share = (table: string): number => ((before[table] ?? 0) / 152) * 2;
    expect(after).toEqual(Object.fromEntries(OF_A_JOB.map((table) => [table, share(table)])));
    for (const { inserted } of [kept, foreign]) {
      const [job] = inserted;
      if (job === undefined) throw new Error("there is no job");
      expect(await jobs.find(placeOf(job), job.id)).toMatchObject({ id: job.id });
      expect(await jobs.output(placeOf(job), job.id, 0, 10)).toHaveLength(3);
      expect(await jobs.attempts(placeOf(job), job.id)).toHaveLength(2);
    }
    const labelled = { ...ANY, labels: { team: "ü" } };
    expect(await jobs.list(placeOf({ organizationId: ACME }), labelled, null, 10)).toHaveLength(1);
  });

  test("notes up to which revision rows are gone, and never goes back", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    await owner.commit(whole());
    await owner.commit(whole());
    const [first, second] = await shards.purgeable(0, 10, 10);
    if (first === undefined || second === undefined) throw new Error("two jobs were to be found");
    const [older, newer] = first.revision < second.revision ? [first, second] : [second, first];
    await owner.commit({ purged: [newer] });
    expect(await jobs.revision(0)).toEqual({ current: 3, compacted: 2 });
    await owner.commit({ purged: [older] });
    expect(await jobs.revision(0)).toEqual({ current: 4, compacted: 2 });
  });

  test("an id and a request id that go may come again in the same commit", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const one = whole();
    await owner.commit(one);
    const purged = await shards.purgeable(0, 10, 10);
    const [job] = one.inserted;
    await owner.commit({
      ...one,
      inserted: [{ ...job, state: "QUEUED", endedAt: null, purgeAt: null }] as JobRow[],
      purged,
    });
    expect(await jobs.find(placeOf({ organizationId: ACME }), job?.id ?? aJobId())).toMatchObject({
      state: "QUEUED",
    });
    expect((await counts())["job_requests"]).toBe(1);
  });

  test("takes much output in pieces, and the job with the last of them", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    await owner.commit(whole({}, 1_100));
    const sizes: number[] = [];
    for (;;) {
      const due = await shards.purgeable(0, 10, 10);
      if (due.length === 0) break;
      const removals = await removalsOf(shards, 0, due);
      await owner.commit({
        purged: removals.filter(({ output }) => output === null).map(({ job }) => job),
        purgedOutput: removals.flatMap(({ job, output }) =>
          (output ?? []).map((seq) => ({ ...job, jobId: job.id, seq })),
        ),
      });
      sizes.push((await counts())["job_output"] ?? -1);
    }
    expect(sizes).toEqual([600, 100, 0]);
    expect(Object.values(await counts())).toEqual(OF_A_JOB.map(() => 0));
  });

  test("removes old lines of the audit log, the oldest first, and those of one organization", async () => {
    const { shards, identity } = given.store;
    const at = Date.parse("2026-01-01T00:00:00Z");
    const id = (time: number, end: string): string => {
      const hex = time.toString(16).padStart(12, "0");
      return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-00000000000${end}`;
    };
    const line = { actor: SERVER, action: "job.submit", subject: "s", details: null } as const;
    for (const organizationId of [ACME, GLOBEX]) {
      for (const [end, time] of [
        ["1", at - 2],
        ["2", at - 1],
        ["3", at],
        ["4", at + 1],
      ] as const) {
        await identity.insertAudit(0, { ...line, organizationId, id: id(time, end), at: time });
      }
    }
    const place = placeOf({ organizationId: ACME });
    expect(await shards.removeAudit(place, at, 1)).toBe(1);
    expect(await shards.removeAudit(place, at, 10)).toBe(1);
    expect(await shards.removeAudit(place, at, 10)).toBe(0);
    const left = async (organizationId: typeof ACME): Promise<number[]> =>
      (
        await identity.listAudit(placeOf({ organizationId }), null, { before: null, limit: 10 })
      ).map((row) => row.at - at);
    expect(await left(ACME)).toEqual([1, 0]);
    expect(await left(GLOBEX)).toEqual([1, 0, -1, -2]);
  });
});
