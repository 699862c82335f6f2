import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { UserId } from "../../src/jobs/ids.ts";
import { type MetricGrantRow, Point, type PointRow } from "../../src/jobs/metric.ts";
import type { AuditLine, PointKey } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobId } from "../support/job-row.ts";
import { ACME, GLOBEX, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const place = placeOf({ organizationId: ACME });
const MINUTE = 60_000;
const ALL = { resolution: "MINUTE" as const, from: 0, until: 1_000 * MINUTE, types: [] };

const aPoint = (facts: Partial<PointRow> = {}): PointRow => ({
  ...new Point().row({
    ...{ organizationId: ACME, resolution: "MINUTE", at: MINUTE, type: "", writer: 1 },
  }),
  ...facts,
});

const aGrant = (facts: Partial<MetricGrantRow> = {}): MetricGrantRow => ({
  organizationId: ACME,
  userId: "",
  metrics: ["SUBMITTED", "CURRENT"],
  types: ["a", "b.c"],
  createdBy: "ada" as UserId,
  createdAt: 1_700_000_000_000,
  ...facts,
});

const aLine = (action: AuditLine["row"]["action"]): AuditLine => ({
  shardId: 0,
  row: {
    ...{ organizationId: ACME, id: aJobId(), at: 1, actor: SERVER, subject: "", details: null },
    action,
  },
});

describe.each(ENGINES)("points on %s", (engine) => {
  const given = withStore(engine);

  test("are written as often as one likes, each writer by himself, and come back whole", async () => {
    const owner = await claimed(given.store.shards);
    const full = aPoint({
      ...{ type: "mail.send", submitted: 1, started: 2, succeeded: 3, failed: 4, cancelled: 5 },
      ...{ retried: 6, queue: "rs rs 2f", run: "1 1 1", total: "a".repeat(3_000), queueAgeMs: 7 },
    });
    await owner.commit({ points: [aPoint({ submitted: 1 })] });
    await owner.commit({ points: [aPoint({ submitted: 3 }), aPoint({ writer: 9 }), full] });
    const found = await given.store.metrics.points(place, ALL, null, 10);
    expect(found).toEqual([aPoint({ submitted: 3 }), aPoint({ writer: 9 }), full]);
  });

  test("are read by time, type and writer, in pages, of one organization and resolution", async () => {
    const owner = await claimed(given.store.shards);
    const rows = [1, 2, 3].flatMap((minute) =>
      ["", "A", "a"].flatMap((type) =>
        [1, 5].map((writer) => aPoint({ at: minute * MINUTE, type, writer })),
      ),
    );
    await owner.commit({
      points: [...rows, aPoint({ organizationId: GLOBEX }), aPoint({ resolution: "HOUR", at: 0 })],
    });
    const { metrics } = given.store;
    const paged: PointRow[] = [];
    let after: PointKey | null = null;
    for (;;) {
      const page: PointRow[] = await metrics.points(place, ALL, after, 5);
      paged.push(...page);
      after = page.at(-1) ?? null;
      if (page.length < 5) break;
    }
    expect(paged).toEqual(rows);
    const some = { ...ALL, from: 2 * MINUTE, until: 3 * MINUTE, types: ["a"] };
    expect(await metrics.points(place, some, null, 10)).toEqual(
      rows.filter(({ at, type }) => at === 2 * MINUTE && type === "a"),
    );
  });

  test("it is known up to where they were rolled up, also to whoever loads the shard", async () => {
    const owner = await claimed(given.store.shards);
    const { metrics, shards } = given.store;
    expect(await metrics.rollups(0)).toEqual({});
    expect(await metrics.oldest(0, "MINUTE")).toBe(null);
    await owner.commit({ rollups: [{ resolution: "HOUR", until: 5 }], points: [aPoint()] });
    await owner.commit({ rollups: [{ resolution: "HOUR", until: 7 }] });
    expect(await metrics.rollups(0)).toEqual({ HOUR: 7 });
    expect((await shards.load(0)).metricsClosedUntil).toBe(7);
    expect(await metrics.oldest(0, "MINUTE")).toBe(MINUTE);
  });

  test("the oldest go, in small batches, of one organization and resolution", async () => {
    const owner = await claimed(given.store.shards);
    const { metrics } = given.store;
    const minutes = [1, 2, 3, 4, 5].map((minute) => aPoint({ at: minute * MINUTE }));
    const others = [aPoint({ organizationId: GLOBEX }), aPoint({ resolution: "HOUR", at: 0 })];
    await owner.commit({ points: [...minutes, ...others] });
    expect(await metrics.remove(place, "MINUTE", 4 * MINUTE, 2)).toBe(2);
    expect(await metrics.remove(place, "MINUTE", 4 * MINUTE, 2)).toBe(1);
    expect(await metrics.remove(place, "MINUTE", 4 * MINUTE, 2)).toBe(0);
    expect(await metrics.points(place, ALL, null, 10)).toEqual(minutes.slice(3));
    expect(await metrics.points(placeOf({ organizationId: GLOBEX }), ALL, null, 10)).toHaveLength(
      1,
    );
    expect(await metrics.oldest(0, "HOUR")).toBe(0);
  });

  test("grants take the place of what was granted before, up to so many, each with its line", async () => {
    const { metrics, identity } = given.store;
    const lines = async () =>
      (await identity.listAudit(place, null, { before: null, limit: 10 })).map(
        ({ action }) => action,
      );
    const put = async (grant: MetricGrantRow) =>
      await metrics.putGrant(place, grant, 2, aLine("metric-grant.put"));
    const [ada, bob] = ["ada" as UserId, "bob" as UserId];
    expect(await put(aGrant())).toBe(true);
    expect(await put(aGrant({ userId: ada }))).toBe(true);
    expect(await put(aGrant({ userId: bob }))).toBe(false);
    const changed = aGrant({ userId: ada, types: [], metrics: ["QUEUE_AGE"] });
    expect(await put(changed)).toBe(true);
    expect(await metrics.grants(place)).toEqual([aGrant(), changed]);
    expect(await metrics.grantsOf(place, [ada, bob])).toEqual([changed]);
    expect(await metrics.grantsOf(place, ["", bob])).toEqual([aGrant()]);
    expect(await metrics.grants(placeOf({ organizationId: GLOBEX }))).toEqual([]);
    expect(await metrics.removeGrant(place, ada, aLine("metric-grant.delete"))).toBe(true);
    expect(await metrics.removeGrant(place, ada, aLine("metric-grant.delete"))).toBe(false);
    expect(await metrics.grants(place)).toEqual([aGrant()]);
    expect((await lines()).toSorted()).toEqual([
      "metric-grant.delete",
      ...["metric-grant.put", "metric-grant.put", "metric-grant.put"],
    ]);
  });
});
