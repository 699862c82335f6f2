import { NOTHING_WANTED } from "../../src/store/store.ts";
import { describe, expect, test } from "vitest";

import type { JobRow } from "../../src/jobs/job.ts";
import { Deposed } from "../../src/store/store.ts";
import { claimed, someChanges } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import { withStore } from "../support/stores.ts";
import {
  aFullJobRow,
  anAttemptRow,
  anOutputRow,
  aRequestRow,
  aScriptRow,
  placeOf,
} from "../support/store-rows.ts";

describe.each(ENGINES)("commit on %s", (engine) => {
  const given = withStore(engine);

  test("raises the shard's revision to that of the batch", async () => {
    const owner = await claimed(given.store.shards);
    await owner.commit({ inserted: [aJobRow()] });
    await owner.commit({ inserted: [aJobRow()] });
    expect(await given.store.jobs.revision(0)).toEqual({ current: 2, compacted: 0 });
    expect((await given.store.jobs.revision(1)).current).toBe(0);
  });

  test("is refused to an owner of an earlier epoch, and writes nothing", async () => {
    const { shards, jobs } = given.store;
    const deposed = await claimed(shards, 0, "one");
    await claimed(shards, 0, "one");
    const job = aJobRow();
    await expect(deposed.commit({ inserted: [job], specs: [aSpecRow(job)] })).rejects.toThrow(
      Deposed,
    );
    expect(await jobs.find(placeOf(job), job.id)).toBeNull();
    expect((await jobs.revision(0)).current).toBe(0);
  });

  test.each([0, 1, 3])("is refused at revision %i when the next one is 2", async (revision) => {
    const { shards } = given.store;
    const { fence, commit } = await claimed(shards);
    await commit({});
    await expect(shards.commit(fence, someChanges({ revision }))).rejects.toThrow(Deposed);
    await shards.commit(fence, someChanges({ revision: 2 }));
  });

  test("of two at the same revision lets one through, from two connections at once", async () => {
    const { shards, jobs } = given.store;
    const other = await given.another();
    const { fence } = await claimed(shards);
    const rows = [aJobRow({ revision: 1 }), aJobRow({ revision: 1 })] as const;
    const outcomes = await Promise.allSettled([
      shards.commit(fence, someChanges({ revision: 1, inserted: [rows[0]] })),
      other.shards.commit(fence, someChanges({ revision: 1, inserted: [rows[1]] })),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const lost = outcomes.find(({ status }) => status === "rejected");
    expect(lost).toHaveProperty("reason", expect.any(Deposed));
    const found = await Promise.all(rows.map(async (row) => await jobs.find(placeOf(row), row.id)));
    expect(found.map((row) => row !== null)).toEqual(
      outcomes.map(({ status }) => status === "fulfilled"),
    );
  });

  test("is all or nothing: when the last row fails, the first is not there", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const job = aJobRow();
    const twice = aRequestRow(job);
    const batch = { inserted: [job], specs: [aSpecRow(job)], requests: [twice, twice] };
    await expect(owner.commit(batch)).rejects.toThrow(/./);
    expect(await jobs.find(placeOf(job), job.id)).toBeNull();
    expect((await jobs.revision(0)).current).toBe(0);
    await owner.commit({ inserted: [job] });
  });

  test("refuses a job that is there already", async () => {
    const owner = await claimed(given.store.shards);
    const job = aJobRow();
    await owner.commit({ inserted: [job] });
    await expect(owner.commit({ inserted: [{ ...job, name: "again" }] })).rejects.toThrow(/./);
    expect((await given.store.jobs.find(placeOf(job), job.id))?.name).toBe("");
  });

  test("refuses to update a job that is not there", async () => {
    const owner = await claimed(given.store.shards);
    const job = aJobRow();
    await expect(owner.commit({ updated: [job] })).rejects.toThrow(/not there/);
    expect(await given.store.jobs.find(placeOf(job), job.id)).toBeNull();
  });

  test.each([
    ["a fresh job", aJobRow()],
    ["a job of which no field has its default", aFullJobRow()],
  ])("keeps every field of %s", async (_, job) => {
    const owner = await claimed(given.store.shards);
    await owner.commit({ inserted: [job] });
    expect(await given.store.jobs.find(placeOf(job), job.id)).toEqual({ ...job, revision: 1 });
  });

  test("updates every field that may change, and no other", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const fresh = aJobRow({ name: "kept", labels: { a: "b" } });
    await owner.commit({ inserted: [fresh] });
    const full = { ...aFullJobRow(), organizationId: fresh.organizationId, id: fresh.id };
    await owner.commit({ updated: [full] });
    const changed = await jobs.find(placeOf(fresh), fresh.id);
    const given_ = ["name", "type", "typeVersion", "capability", "priority", "labels", "creatorId"];
    const kept = [
      ...given_,
      ...["runAs", "concurrencyKey", "concurrencyPolicy", "attemptTimeoutMs", "deadlineAt"],
      ...["retryPolicy", "workflowId", "stepName", "parentId", "scheduleId", "createdAt"],
      ...["depth", "hookChain", "callbackUrl"],
    ] as (keyof JobRow)[];
    const expected = Object.fromEntries(kept.map((field) => [field, fresh[field]]));
    expect(changed).toEqual({ ...full, ...expected, revision: 2 });
    await owner.commit({ updated: [{ ...fresh, state: "SCHEDULED" }] });
    expect(await jobs.find(placeOf(fresh), fresh.id)).toEqual({
      ...fresh,
      state: "SCHEDULED",
      revision: 3,
    });
  });

  test("writes what differs from the row before, whatever that is", async () => {
    const { shards, jobs } = given.store;
    const { fence, commit } = await claimed(shards);
    const fresh = aJobRow();
    let revision = await commit({ inserted: [fresh] });
    let before: JobRow = { ...fresh, revision };
    const full = { ...aFullJobRow(), organizationId: fresh.organizationId, id: fresh.id };
    const steps: Partial<JobRow>[] = [
      ...["state", "runAt", "queuedAt", "updatedAt", "startedAt", "attempt", "retryCount"],
      ...["lostCount", "runnerId", "leaseToken", "reportSeq", "progress", "error", "endedAt"],
      ...["purgeAt", "updateSeq", "tokenRevokedAttempt", "cancelledBy"],
      ...["blockedBy", "childCount", "callbackState"],
      ...["cancelRequestedAt", "cancelReason", "outputCount", "cpuMs", "peakMemoryBytes"],
    ].map((field) => ({ [field]: full[field as keyof JobRow] }));
    steps.push({ state: "RUNNING", attempt: 77, leaseToken: "another" as JobRow["leaseToken"] });
    for (const step of steps) {
      revision += 1;
      const after: JobRow = { ...before, ...step, revision };
      const change = { revision, updated: [after], before: new Map([[after, before]]) };
      await shards.commit(fence, someChanges(change));
      expect(await jobs.find(placeOf(fresh), fresh.id)).toEqual(after);
      before = after;
    }
  });

  test("takes 2,000 jobs with specs, labels, requests and output at once, then updates them", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const rows = Array.from({ length: 2_000 }, (_, at) =>
      at % 3 === 0
        ? aJobRow({ labels: { at: String(at % 7) } })
        : {
            ...aFullJobRow(),
            organizationId: aJobRow().organizationId,
            endedAt: null,
            purgeAt: null,
          },
    );
    await owner.commit({
      inserted: rows,
      specs: rows.map(aSpecRow),
      requests: rows.map((job) => aRequestRow(job)),
      output: rows.map((job) => anOutputRow(job)),
    });
    expect((await shards.load(0)).jobs).toHaveLength(2_000);
    const ended = rows.map((job) => ({
      ...job,
      state: "SUCCEEDED" as const,
      endedAt: 7,
      purgeAt: 8,
    }));
    await owner.commit({
      updated: ended.toReversed(),
      attempts: ended.map((job) => anAttemptRow(job)),
    });
    expect((await shards.load(0)).jobs).toEqual([]);
    const last = rows.at(-1) ?? aJobRow();
    expect(await jobs.result(placeOf(last), last.id, 1)).toBe('{"ok":true}');
  });

  test("takes rows of a megabyte, several in a batch", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    const rows = Array.from({ length: 8 }, () => aJobRow());
    const specs = rows.map((job, at) => ({
      ...aSpecRow(job),
      input: JSON.stringify(String(at).repeat(1_024 * 1_024 - 2)),
    }));
    await owner.commit({ inserted: rows, specs });
    const read = await shards.readCold(0, {
      ...NOTHING_WANTED,
      specs: rows,
    });
    const inputs = new Map(read.specs.map(({ id, input }) => [id, input]));
    for (const { id, input } of specs) expect(inputs.get(id) === input).toBe(true);
  });

  test("keeps the first of two scripts with the same hash", async () => {
    const { shards, jobs } = given.store;
    const owner = await claimed(shards);
    const script = aScriptRow();
    await owner.commit({ scripts: [script] });
    await owner.commit({
      scripts: [
        { ...script, createdAt: 9 },
        { ...aScriptRow(), source: "2" },
      ],
    });
    expect(await jobs.script(placeOf(script), script.hash)).toEqual(script);
  });
});
