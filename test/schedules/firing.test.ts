import { expect, test } from "vitest";

import { JobFault } from "../../src/jobs/errors.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import type { ScheduleRow } from "../../src/jobs/schedule.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { createFiring, type Prepared } from "../../src/schedules/firing.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import type { ShardOwner, ShardRouter } from "../../src/shard/owner.ts";
import type { ShardId } from "../../src/store/store.ts";
import { aSubmission } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { aScheduleRow } from "../support/schedule-row.ts";
import { Shard } from "../shard/harness.ts";

/** One round over these schedules, on a shard without a database; answers with them afterwards. */
const afterARound = async (
  due: readonly ScheduleRow[],
  prepare: (schedule: ScheduleRow) => Promise<Prepared>,
  /** Of a schedule; all by themselves are of shard 0. */
  shardOf: (schedule: Pick<ScheduleRow, "organizationId">) => ShardId = () => 0,
): Promise<ReadonlyMap<string, ScheduleRow>> => {
  const clock = createManualClock(60_000);
  const shard = new Shard();
  shard.now = clock.now();
  const rows = new Map(due.map((row) => [row.id, row]));
  const owner: Pick<ShardOwner, "perform"> = {
    perform: async <Outcome>(command: Command<Outcome>) => {
      const { outcome, turn } = shard.do(command, { schedules: [...rows.values()] });
      for (const row of turn.changes().schedules) rows.set(row.id, row);
      return await Promise.resolve(outcome);
    },
  };
  const firing = createFiring({
    schedules: {
      due: async (shards, now, limit) => {
        const isDue = (row: ScheduleRow) =>
          (row.nextFireAt ?? Number.POSITIVE_INFINITY) <= now && shards.includes(shardOf(row));
        return await Promise.resolve([...rows.values()].filter(isDue).slice(0, limit));
      },
    },
    router: {
      ownerOf: () => owner,
      shardOf: (organizationId: OrganizationId) => shardOf({ organizationId }),
    } as unknown as ShardRouter,
    owned: () => [0, 1],
    prepare,
    clock,
    log: silentLog,
  });
  await firing.start();
  clock.advance(1_000);
  await firing.stop();
  return rows;
};

const job = async (): Promise<Prepared> =>
  await Promise.resolve({ kind: "job", submission: aSubmission() });

test("what one schedule trips over keeps no other from firing", async () => {
  const ids = ["sound", "odd", "banned", "broken", "refused"];
  const due = ids.map((id) =>
    aScheduleRow({ id, ...(id === "odd" ? { timeZone: "Mars/X" } : {}) }),
  );
  const rows = await afterARound(due, async ({ id }) => {
    if (id === "banned") return { kind: "may-not", reason: "no more" };
    if (id === "broken") throw new Error("a bug of ours");
    const fault = new JobFault("JOB_TYPE_DISABLED", "It is disabled.");
    return id === "refused" ? { kind: "refused", fault } : await job();
  });
  expect(rows.get("sound")).toMatchObject({ fireCount: 1, nextFireAt: 120_000 });
  expect(rows.get("odd")?.pauseReason).toMatch("cron and time zone");
  expect(rows.get("banned")?.pauseReason).toBe("no more");
  expect(rows.get("broken")).toEqual(due[3]);
  expect(rows.get("refused")).toMatchObject({ nextFireAt: 120_000, fireCount: 0 });
});

test("more than 20 jobs to catch up are divided over several rounds", async () => {
  const long = aScheduleRow({ catchUp: "ALL", cron: "* * * * * *", nextFireAt: 30_000 });
  const rows = await afterARound([long], job);
  expect(rows.get(long.id)).toMatchObject({
    fireCount: 20,
    lastFireAt: 49_000,
    pendingFrom: 50_000,
    nextFireAt: 61_000,
  });
});

test("a shard whose schedules cannot be fired keeps no other shard waiting", async () => {
  const theirs = "globex" as OrganizationId;
  const stuck = Array.from({ length: 150 }, (_, at) => aScheduleRow({ id: `stuck-${at}` }));
  const sound = aScheduleRow({ id: "sound", organizationId: theirs });
  let tries = 0;
  const rows = await afterARound(
    [...stuck, sound],
    async ({ id }) => {
      if (id === "sound") return await job();
      tries += 1;
      throw new JobFault("SHARD_UNAVAILABLE", "It is overloaded.");
    },
    ({ organizationId }) => (organizationId === theirs ? 1 : 0),
  );
  expect(rows.get("sound")).toMatchObject({ fireCount: 1, nextFireAt: 120_000 });
  expect(tries).toBe(100);
});
