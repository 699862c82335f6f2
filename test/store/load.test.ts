import { NOTHING_WANTED, STANDARD_LIMITS } from "../../src/store/store.ts";
import { describe, expect, test } from "vitest";

import type { OrganizationId } from "../../src/jobs/ids.ts";
import { ORGANIZATION_DEFAULTS } from "../../src/jobs/limits.ts";
import { hasEnded, JOB_STATES } from "../../src/jobs/states.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aHookRow, onJobs, TO_JOB } from "../support/hook-row.ts";
import { aJobId, aJobRow, aSpecRow } from "../support/job-row.ts";
import { ACME, aRequestRow, GLOBEX, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const NONE = { types: new Map(), breakers: [], hooks: [] };

describe.each(ENGINES)("what an owner reads on %s", (engine) => {
  const given = withStore(engine);

  test("loading gives exactly the jobs of the shard that have not ended", async () => {
    const { shards } = given.store;
    const jobs = JOB_STATES.map((state) =>
      aJobRow({ state, purgeAt: hasEnded(state) ? 1 : null, labels: { state } }),
    );
    const owner = await claimed(shards);
    await owner.commit({ inserted: jobs });
    await (await claimed(shards, 1)).commit({ inserted: [aJobRow()] });
    const loaded = await shards.load(0);
    const active = jobs
      .filter(({ state }) => !hasEnded(state))
      .map((job) => ({ ...job, revision: 1 }));
    expect(loaded.jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(active);
    expect(loaded).toMatchObject({ epoch: 1, revision: 1 });
  });

  test("loading gives more jobs than a page holds, each of them once", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    const jobs = Array.from({ length: 5_003 }, (_, index) =>
      aJobRow({ organizationId: index % 2 === 0 ? ACME : GLOBEX, state: "QUEUED", queuedAt: 1 }),
    );
    await owner.commit({ inserted: jobs });
    const loaded = await shards.load(0);
    expect(loaded.jobs).toHaveLength(jobs.length);
    expect(new Set(loaded.jobs.map(({ id }) => id)).size).toBe(jobs.length);
    const [one, other] = loaded.jobs;
    expect(one?.retryPolicy).toBe(other?.retryPolicy);
  });

  test("loading gives the limits of the organizations that have active jobs", async () => {
    const { shards, identity } = given.store;
    await identity.insertOrganization({
      id: GLOBEX,
      name: "Globex",
      ...STANDARD_LIMITS,
      maxRunning: 9,
      createdAt: 1,
    });
    const owner = await claimed(shards);
    const jobs = [
      aJobRow(),
      aJobRow({ organizationId: GLOBEX }),
      aJobRow({ organizationId: GLOBEX }),
    ];
    await owner.commit({ inserted: jobs });
    const { organizations } = await shards.load(0);
    expect(
      organizations.toSorted((a, b) => (a.organizationId < b.organizationId ? -1 : 1)),
    ).toEqual([
      { organizationId: ACME, ...ORGANIZATION_DEFAULTS, ...NONE },
      { organizationId: GLOBEX, ...ORGANIZATION_DEFAULTS, maxRunning: 9, ...NONE },
    ]);
  });

  test("loading gives what is known against types, until they fare well again", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    const breaker = {
      organizationId: ACME,
      type: "mail",
      failures: 5,
      trips: 1,
      openedAt: 1_000,
      retryAt: 31_000,
      reason: "memory",
    };
    const fine = { ...breaker, failures: 0, trips: 0, openedAt: null, retryAt: null, reason: "" };
    await owner.commit({ inserted: [aJobRow()], breakers: [breaker] });
    expect((await shards.load(0)).organizations).toMatchObject([{ breakers: [breaker] }]);
    await owner.commit({ breakers: [fine] });
    expect((await shards.load(0)).organizations).toMatchObject([{ breakers: [] }]);
  });

  test("loading gives hooks of organizations with jobs, and those on thresholds of all others", async () => {
    const { shards } = given.store;
    const owner = await claimed(shards);
    const counted = { metric: "QUEUED_JOBS", type: "", above: 0.5, forMs: 0 } as const;
    const event = { kind: "threshold" as const, ...counted };
    const odd = { ...onJobs(), labels: { a: '"kind":"threshold"' } };
    const [watching, of, other] = [
      aHookRow({ organizationId: GLOBEX, event, aboveSince: 5, firing: true }),
      aHookRow({ organizationId: ACME, event: odd, target: TO_JOB, loopReason: "ä" }),
      aHookRow({ organizationId: "initech" as OrganizationId, event: odd }),
    ];
    await owner.commit({ inserted: [aJobRow()], hooks: [watching, of, other] });
    const { organizations } = await shards.load(0);
    expect(organizations.flatMap(({ hooks }) => hooks)).toEqual([of, watching]);
    await owner.commit({ removedHooks: [{ organizationId: GLOBEX, id: watching.id }] });
    expect((await shards.load(0)).organizations.flatMap(({ hooks }) => hooks)).toEqual([of]);
  });

  test("an empty shard loads as nothing, and one that is not there not at all", async () => {
    const { shards } = given.store;
    expect(await shards.load(3)).toEqual({
      epoch: 0,
      revision: 0,
      jobs: [],
      organizations: [],
      unsettled: [],
      untold: new Map(),
      workflows: [],
      metricsClosedUntil: 0,
    });
    await expect(shards.load(4)).rejects.toThrow(/no shard 4/);
  });

  test("a cold read gives the rows asked for, of this shard and these organizations alone", async () => {
    const { shards } = given.store;
    const mine = aJobRow({ state: "FAILED", endedAt: 3 });
    const twin = { ...mine, organizationId: GLOBEX, name: "theirs" };
    const other = aJobRow();
    const all = [mine, twin, other];
    await (
      await claimed(shards, 0)
    ).commit({
      inserted: all,
      specs: all.map(aSpecRow),
      requests: all.map((job) => aRequestRow(job, { requestId: "same ü" })).slice(0, 2),
    });
    await (await claimed(shards, 1)).commit({ inserted: [{ ...mine, name: "elsewhere" }] });

    const read = await shards.readCold(0, {
      ...NOTHING_WANTED,
      jobs: [mine, { organizationId: GLOBEX, id: other.id }],
      specs: [mine, twin],
      requests: [
        { organizationId: ACME, requestId: "same ü" },
        { organizationId: GLOBEX, requestId: "another" },
      ],
    });
    expect(read.jobs).toEqual([{ ...mine, revision: 1 }]);
    expect(read.specs).toHaveLength(2);
    expect(read.specs).toEqual(expect.arrayContaining([aSpecRow(mine), aSpecRow(twin)]));
    expect(read.requests).toEqual([aRequestRow(mine, { requestId: "same ü" })]);
  });

  test("a cold read of nothing asks nothing and answers so", async () => {
    expect(await given.store.shards.readCold(0, NOTHING_WANTED)).toEqual(NOTHING_WANTED);
  });

  test("a cold read takes thousands of keys of hundreds of organizations", async () => {
    const { shards } = given.store;
    const jobs = Array.from({ length: 1_200 }, (_, at) =>
      aJobRow({ organizationId: `organization-${at % 400}` as OrganizationId }),
    );
    await (await claimed(shards)).commit({ inserted: jobs });
    const missing = jobs.map(({ organizationId }) => ({ organizationId, id: aJobId() }));
    const read = await shards.readCold(0, {
      ...NOTHING_WANTED,
      jobs: [...jobs, ...missing],
      organizations: [...new Set(jobs.map(({ organizationId }) => organizationId))],
    });
    expect(new Set(read.jobs.map(({ id }) => id))).toEqual(new Set(jobs.map(({ id }) => id)));
    expect(read.organizations).toHaveLength(400);
  });

  test("request ids that differ in case, in a space or in an accent are not the same", async () => {
    const { shards } = given.store;
    const ids = ["a", "A", "a ", "á", "a\u0301"];
    const requests = ids.map((requestId) => aRequestRow(aJobRow(), { requestId }));
    await (await claimed(shards)).commit({ requests });
    const read = await shards.readCold(0, {
      ...NOTHING_WANTED,
      requests: ids.map((requestId) => ({ organizationId: ACME, requestId })),
    });
    expect(read.requests.map(({ requestId }) => requestId).toSorted()).toEqual(ids.toSorted());
    for (const request of requests) expect(read.requests).toContainEqual(request);
  });

  test("two organizations with the same job id do not see each other", async () => {
    const { shards, jobs } = given.store;
    const mine = aJobRow({ name: "mine" });
    const theirs = { ...mine, organizationId: GLOBEX, name: "theirs" };
    const owner = await claimed(shards);
    await owner.commit({ inserted: [mine], specs: [aSpecRow(mine)] });
    await owner.commit({ inserted: [theirs], specs: [aSpecRow(theirs)] });
    await owner.commit({ updated: [{ ...theirs, state: "CANCELLED", endedAt: 1 }] });
    expect(await jobs.find(placeOf(mine), mine.id)).toEqual({ ...mine, revision: 1 });
    expect(await jobs.find(placeOf(theirs), theirs.id)).toMatchObject({
      name: "theirs",
      revision: 3,
    });
  });
});
