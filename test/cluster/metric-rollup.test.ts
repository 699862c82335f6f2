import { afterEach, describe, expect, test } from "vitest";

import { type Owner, rollUpShard } from "../../src/cluster/metric-rollup.ts";
import { createMetricUpkeep, removableBefore } from "../../src/cluster/metric-upkeep.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import { Point, type PointRow, type Resolution, RESOLUTION_MS } from "../../src/jobs/metric.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ShardActor } from "../../src/shard/actor.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import { Slots } from "../../src/shard/slots.ts";
import { SpecKeeper } from "../../src/shard/spec-keeper.ts";
import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { type ShardStore, STANDARD_LIMITS, type Store } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aSubmission } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { withStore } from "../support/stores.ts";

const { MINUTE, HOUR, DAY } = RESOLUTION_MS;
const START = Date.parse("2026-05-05T10:00:00Z");
const acme = "acme" as OrganizationId;
const place = { shardId: 0, organizationId: acme };
const nothing = (): void => {};

const aMinute = (minute: number, facts: Partial<PointRow> = {}): PointRow => {
  const point = new Point();
  point.run.add(1_000 * (minute + 1));
  const key = { organizationId: acme, resolution: "MINUTE" as const, type: "a", writer: 1 };
  return { ...point.row({ ...key, at: START + minute * MINUTE }), submitted: 1, ...facts };
};

type Fate = "commits" | "fails" | "commits and fails";

const owners: ShardActor[] = [];
afterEach(() => {
  for (const owner of owners.splice(0)) owner.stop();
});

/** The owner of shard 0; each of its commits meets the next fate. */
const ownerOf = async (
  store: Store,
  clock: ReturnType<typeof createManualClock>,
  fates: Fate[],
) => {
  const lease = await store.shards.claim(0, "a test", 60_000);
  if (lease === null) throw new Error("the shard is not free");
  const shards: ShardStore = {
    ...store.shards,
    commit: async (...all) => {
      const fate = fates.shift() ?? "commits";
      if (fate !== "fails") await store.shards.commit(...all);
      if (fate !== "commits") throw new Error("the connection broke");
    },
  };
  const actor = new ShardActor({
    store: shards,
    fence: { shardId: 0, epoch: lease.epoch },
    slots: new Slots(),
    specs: new SpecKeeper(),
    bounds: TURN_BOUNDS,
    clock,
    random: systemRandom,
    observer: silentShardObserver,
    holdsLease: () => true,
    log: silentLog,
    gather: async () => await Promise.resolve(),
    handOut: nothing,
    slotsMoved: nothing,
    expectRunners: nothing,
  });
  await actor.load();
  void actor.run();
  owners.push(actor);
  return actor;
};

describe.each(ENGINES)("the roll-up of points on %s", (engine) => {
  const given = withStore(engine);

  const begin = async (points: readonly PointRow[], fates: Fate[] = []) => {
    const { store } = given;
    const row = { id: acme, name: acme, ...STANDARD_LIMITS, createdAt: 0 };
    await store.identity.insertOrganization(row);
    await (await claimed(store.shards)).commit({ points });
    const clock = createManualClock(START + 2 * HOUR + MINUTE);
    const options = {
      metrics: store.metrics,
      identity: store.identity,
      clock,
      shardOf: () => 0,
    };
    return { store, clock, options, owner: await ownerOf(store, clock, fates) };
  };
  const read = async (store: Store, resolution: Resolution): Promise<PointRow[]> =>
    await store.metrics.points(
      place,
      { resolution, from: 0, until: START + 9 * DAY, types: [] },
      null,
      100,
    );

  test("makes minutes of all writers into hours, and hours into days", async () => {
    const minutes = [aMinute(0), aMinute(0, { writer: 5 }), aMinute(59), aMinute(60), aMinute(121)];
    const { store, clock, options, owner } = await begin(minutes);
    expect(await rollUpShard(options, 0, owner, "HOUR")).toBe(START + 2 * HOUR);
    const hours = await read(store, "HOUR");
    expect(hours.map(({ at, submitted, writer }) => [at, submitted, writer])).toEqual([
      [START, 3, 0],
      [START + HOUR, 1, 0],
    ]);
    expect(await rollUpShard(options, 0, owner, "DAY")).toBe(START - 10 * HOUR);
    expect(await read(store, "DAY")).toEqual([]);
    clock.advance(DAY);
    await rollUpShard(options, 0, owner, "HOUR");
    await rollUpShard(options, 0, owner, "DAY");
    expect(await read(store, "DAY")).toMatchObject([{ at: START - 10 * HOUR, submitted: 5 }]);
    expect(await store.metrics.rollups(0)).toEqual({
      HOUR: START + 26 * HOUR,
      DAY: START + 14 * HOUR,
    });
  });

  test("comes to the same whichever of its commits fails, or took place and was not answered", async () => {
    for (const fates of [
      ["fails"],
      ["commits and fails"],
      ["commits and fails", "fails", "fails"],
    ] as Fate[][]) {
      const organizations = await given.store.identity.findOrganization(acme);
      if (organizations !== null) {
        await given.database.execute(
          ...["organizations", "metric_points", "metric_rollups"].map((t) => `DELETE FROM ${t}`),
        );
      }
      const { store, options, owner } = await begin([aMinute(0), aMinute(61)], fates);
      for (;;) {
        const until = await rollUpShard(options, 0, owner, "HOUR").catch(() => null);
        if (until !== null) break;
      }
      await rollUpShard(options, 0, owner, "HOUR");
      const hours = await read(store, "HOUR");
      expect(hours.map(({ submitted }) => submitted)).toEqual([1, 1]);
      owner.stop();
    }
  });

  test("is not over before all of its rows are there, wherever the owner dies", async () => {
    const { store, options, owner } = await begin([aMinute(0), aMinute(61)]);
    for (let commands = 1; ; commands += 1) {
      let left = commands;
      const dying: Pick<Owner, "perform"> = {
        perform: async (command) => {
          left -= 1;
          if (left < 0) throw new Error("the owner died");
          return await owner.perform(command);
        },
      };
      const until = await rollUpShard(options, 0, dying, "HOUR", 1).catch(() => null);
      const { HOUR: mark } = await store.metrics.rollups(0);
      expect(mark === undefined).toBe(until === null);
      if (until !== null) break;
    }
    expect(await read(store, "HOUR")).toMatchObject([{ submitted: 1 }, { submitted: 1 }]);
  });

  test("leaves no minute open that it has read: what comes later counts later", async () => {
    const { store, clock, options, owner } = await begin([aMinute(0)]);
    await rollUpShard(options, 0, owner, "HOUR");
    owner.stop();
    // The next owner's clock is an hour behind.
    const late = createManualClock(clock.now() - HOUR);
    const next = await ownerOf(store, late, []);
    await next.perform(submit([aSubmission({ organizationId: acme })]));
    const [, minute] = await read(store, "MINUTE");
    expect(minute).toMatchObject({ at: START + 2 * HOUR, submitted: 1 });
  });

  test("points go when they are old, and stand in the coarser resolution", async () => {
    const { store, clock, options, owner } = await begin([aMinute(0), aMinute(121)]);
    const actors = new Map<number, Owner>([[0, owner]]);
    clock.advance(3 * DAY);
    const upkeep = createMetricUpkeep({ ...options, log: silentLog, actors });
    upkeep.start();
    clock.advance(HOUR);
    while ((await read(store, "MINUTE")).length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(HOUR);
    }
    await upkeep.stop();
    const hours = await read(store, "HOUR");
    expect(hours.map(({ submitted }) => submitted)).toEqual([1, 1]);
    expect(await read(store, "DAY")).toMatchObject([{ submitted: 2 }]);
  });
});

test("nothing goes before it has been rolled up", () => {
  const now = START + 4_000 * DAY;
  expect(removableBefore("MINUTE", now, {})).toBe(0);
  expect(removableBefore("MINUTE", now, { HOUR: START })).toBe(START);
  expect(removableBefore("HOUR", now, { HOUR: now })).toBe(0);
  expect(removableBefore("HOUR", now, { HOUR: now, DAY: now })).toBe(now - 60 * DAY);
  expect(removableBefore("DAY", now, {})).toBeGreaterThan(0);
});
