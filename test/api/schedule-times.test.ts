import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CatchUpPolicy, type Schedule } from "../../src/gen/millrace/v1/schedule_service_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { refusalOf } from "../support/refusal.ts";
import { startTestServer, type TestServer, type TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";
import { createMigrated } from "../support/templates.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const job = { work: { case: "type" as const, value: "report" } };

const read = async (schedules: TestServer["schedules"], scheduleId: string): Promise<Schedule> => {
  const { schedule } = await schedules.getSchedule({ scheduleId });
  if (schedule === undefined) throw new Error("an answer without a schedule");
  return schedule;
};

/** Asks again until the schedule is so: it moves by itself, once a second. */
const until = async (
  schedules: TestServer["schedules"],
  id: string,
  holds: (schedule: Schedule) => boolean,
): Promise<Schedule> =>
  await eventually(async () => {
    const schedule = await read(schedules, id);
    expect(holds(schedule)).toBe(true);
    return schedule;
  });

const nextTime = ({ nextTimes: [next] }: Schedule): number =>
  next === undefined ? 0 : timestampMs(next);

describe.each(ENGINES)("times that nobody could fire, on %s", (engine) => {
  let server: Awaited<ReturnType<typeof startServerOn>>;
  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: ["report"] });
  });
  afterAll(async () => {
    await server.stop();
  });

  /** As it stands after a time in which no server fired: what is due since stands in the row. */
  const dueSince = async (id: string, at: number): Promise<void> => {
    await server.database.execute(`UPDATE schedules SET next_fire_at = ${at} WHERE id = '${id}'`);
  };

  it.concurrent.each([
    ["SKIP", CatchUpPolicy.SKIP, 0],
    ["ONCE", CatchUpPolicy.ONCE, 1],
    ["ALL", CatchUpPolicy.ALL, 50],
  ] as const)("are caught up as %s says", async (name, catchUp, jobs) => {
    const now = systemClock.now();
    // Hourly, at a minute that is half an hour from now: no time is on time in this test.
    const minute = (new Date(now).getUTCMinutes() + 30) % 60;
    const spec = { cron: `${minute} * * * *`, catchUp, job };
    const made = await server.schedules.createSchedule({ scheduleId: name, spec });
    const next = nextTime(made.schedule ?? (await read(server.schedules, name)));
    await dueSince(name, next - 50 * HOUR);
    const after = await until(
      server.schedules,
      name,
      (one) => nextTime(one) === next && one.fireCount >= BigInt(jobs),
    );
    expect(after.fireCount).toBe(BigInt(jobs));
    const last = after.lastTime === undefined ? null : timestampMs(after.lastTime);
    expect(last).toBe(jobs === 0 ? null : next - HOUR);
  });

  it.concurrent("stay outstanding while the queue is full", async () => {
    const user = await server.addUser(await server.addOrganization({ maxQueued: 1 }), ["admin"]);
    await server.putHandlers(["report"], user);
    const [schedules, jobs] = [server.schedulesOf(user), server.jobsOf(user)];
    const waiting = await jobs.submitJob({ spec: job });
    await schedules.createSchedule({ scheduleId: "full", spec: { cron: "* * * * * *", job } });
    const full = await until(schedules, "full", ({ lastError }) => lastError !== "");
    expect(full.lastError).toMatch(/^QUEUE_FULL: /);
    expect(full).toMatchObject({ fireCount: 0n, paused: false, lastJobId: "" });
    expect(full.lastTime).toBeUndefined();
    await jobs.cancelJob({ jobId: waiting.job?.id ?? "" });
    // It is tried again after 30 s: that is now.
    await dueSince("full", systemClock.now());
    const fired = await until(schedules, "full", ({ fireCount }) => fireCount > 0n);
    expect(fired.fireCount).toBe(1n);
    await schedules.deleteSchedule({ scheduleId: "full" });
  });

  it.concurrent("a time zone that the server knows no more pauses it, until it is changed", async () => {
    const { schedules } = server;
    const spec = { cron: "* * * * * *", timeZone: "Europe/Berlin", job };
    await schedules.createSchedule({ scheduleId: "lost", spec });
    await server.database.execute(
      "UPDATE schedules SET time_zone = 'Mars/Olympus_Mons' WHERE id = 'lost'",
    );
    const paused = await until(schedules, "lost", (schedule) => schedule.paused);
    expect(paused.pauseReason).toMatch("check cron and time zone");
    const resumed = schedules.resumeSchedule({ scheduleId: "lost" });
    expect(await refusalOf(resumed)).toMatchObject({
      reason: "INVALID_ARGUMENT",
      fields: ["schedule.spec.time_zone"],
    });
    await schedules.updateSchedule({ scheduleId: "lost", spec });
    await schedules.resumeSchedule({ scheduleId: "lost" });
    await until(schedules, "lost", ({ fireCount }) => fireCount > paused.fireCount);
    await schedules.pauseSchedule({ scheduleId: "lost" });
  });
});

describe("a change of owner on mysql", () => {
  it("fires no time twice, and goes on firing", async () => {
    const database = await createMigrated("mysql");
    const first = await startTestServer({ databaseUrl: database.url, handlers: ["report"] });
    const second = await startTestServer({ databaseUrl: database.url, organization: "other" });
    const user: TestUser = first.admin;
    await first.schedules.createSchedule({
      scheduleId: "moving",
      spec: { cron: "* * * * * *", catchUp: CatchUpPolicy.ALL, job },
    });
    await until(first.schedules, "moving", ({ fireCount }) => fireCount >= 2n);
    await first.stop();
    const schedules = second.schedulesOf(user);
    const before = (await read(schedules, "moving")).fireCount;
    await until(schedules, "moving", ({ fireCount }) => fireCount >= before + 2n);
    const { schedule } = await schedules.pauseSchedule({ scheduleId: "moving" });
    const { total } = await second.jobsOf(user).listJobs({ includeTotal: true });
    expect(total).toBe(schedule?.fireCount);
    // With ALL each second since the creation fired, and fired once.
    const [from, to] = [schedule?.createTime, schedule?.lastTime];
    if (from === undefined || to === undefined) throw new Error("the schedule never fired");
    const seconds = timestampMs(to) / 1_000 - Math.floor(timestampMs(from) / 1_000);
    expect(schedule?.fireCount).toBe(BigInt(seconds));
    await second.stop();
    await database.drop();
  });
});
