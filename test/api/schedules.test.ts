import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Job } from "../../src/gen/millrace/v1/job_pb.ts";
import { CatchUpPolicy, type Schedule } from "../../src/gen/millrace/v1/schedule_service_pb.ts";
import type { UserRow } from "../../src/store/store.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const EVERY_SECOND = "* * * * * *";
const NEVER_SOON = "0 0 29 2 *";
const work = { work: { case: "type" as const, value: "report" } };

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("an answer lacks what it is about");
  return value;
};

describe.each(ENGINES)("schedules on %s", (engine) => {
  let server: TestServer;
  let member: TestUser;
  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: ["report"] });
    member = await server.addUser(server.admin.organizationId, ["jobs:create", "jobs:view"]);
  });
  afterAll(async () => {
    await server.stop();
  });

  const create = async (
    scheduleId: string,
    spec: object,
    by: Pick<TestUser, "token"> = server.admin,
  ): Promise<Schedule> =>
    required(
      (
        await server.schedulesOf(by).createSchedule({
          scheduleId,
          spec: { cron: NEVER_SOON, job: work, ...spec },
        })
      ).schedule,
    );
  const read = async (scheduleId: string): Promise<Schedule> =>
    required((await server.schedules.getSchedule({ scheduleId })).schedule);
  const jobsOf = async (scheduleId: string): Promise<Job[]> => {
    const { jobs } = await server.jobs.listJobs({ pageSize: 1_000 });
    return jobs.filter((job) => job.scheduleId === scheduleId);
  };
  /** Asks again until the schedule is so: it moves by itself, once a second. */
  const until = async (id: string, holds: (schedule: Schedule) => boolean): Promise<Schedule> =>
    await eventually(async () => {
      const schedule = await read(id);
      expect(holds(schedule)).toBe(true);
      return schedule;
    });

  it.concurrent("submits its job at its times, for whoever made it, once for each time", async () => {
    await create("ticking", { cron: EVERY_SECOND, job: { ...work, priority: 7 } }, member);
    const fired = await until("ticking", ({ fireCount }) => fireCount >= 2n);
    await server.schedules.pauseSchedule({ scheduleId: "ticking" });
    const jobs = await jobsOf("ticking");
    const { fireCount } = await read("ticking");
    expect(BigInt(jobs.length)).toBe(fireCount);
    expect(jobs[0]).toMatchObject({
      name: "ticking",
      type: "report",
      priority: 7,
      creatorId: member.userId,
      runAs: member.userId,
    });
    expect(jobs.map(({ id }) => id)).toContain(fired.lastJobId);
    expect(fired).toMatchObject({ lastError: "", version: 1n });
    expect(timestampMs(required(fired.lastTime)) % 1_000).toBe(0);
  });

  it("tells the next five times, in its zone", async () => {
    const berlin = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
    const { nextTimes } = await create("berlin", berlin);
    const clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: "Europe/Berlin",
      hour: "2-digit",
      minute: "2-digit",
    });
    expect(nextTimes.map((time) => clock.format(timestampMs(time)))).toEqual(
      Array.from({ length: 5 }, () => expect.stringMatching(/^0[23]:/) as string),
    );
  });

  it.concurrent("a schedule that is paused fires no more, and one that is resumed goes on", async () => {
    await create("halting", { cron: EVERY_SECOND });
    await until("halting", ({ fireCount }) => fireCount >= 1n);
    const { schedule } = await server.schedules.pauseSchedule({
      scheduleId: "halting",
      reason: "holidays",
    });
    expect(schedule).toMatchObject({ paused: true, pauseReason: "holidays", nextTimes: [] });
    const count = required(schedule).fireCount;
    // Another that began later has fired: there was a round without this one.
    await create("meanwhile", { cron: EVERY_SECOND });
    await until("meanwhile", ({ fireCount }) => fireCount >= 1n);
    await server.schedules.deleteSchedule({ scheduleId: "meanwhile" });
    expect((await read("halting")).fireCount).toBe(count);
    await server.schedules.resumeSchedule({ scheduleId: "halting" });
    await until("halting", ({ fireCount }) => fireCount > count);
    await server.schedules.deleteSchedule({ scheduleId: "halting" });
    expect(await refusalOf(read("halting"))).toMatchObject({ reason: "SCHEDULE_NOT_FOUND" });
    expect(await jobsOf("halting")).not.toEqual([]);
  });

  it.concurrent("notes why a time made no job, and goes on", async () => {
    const job = { ...work, concurrencyKey: "one", concurrencyPolicy: 2 };
    await create("conflicting", { cron: EVERY_SECOND, job });
    const refused = await until("conflicting", ({ lastError }) => lastError !== "");
    expect(refused.lastError).toMatch(/^JOB_CONFLICT: /);
    expect(refused).toMatchObject({ lastJobId: "", paused: false });
    const [first] = await jobsOf("conflicting");
    await server.jobs.cancelJob({ jobId: required(first).id });
    await until("conflicting", ({ fireCount }) => fireCount >= 2n);
    await server.schedules.deleteSchedule({ scheduleId: "conflicting" });
  });

  it.concurrent("is checked anew at every time: a type that was disabled since makes no job", async () => {
    await server.putHandlers(["passing"]);
    const job = { work: { case: "type" as const, value: "passing" } };
    await create("typed", { cron: EVERY_SECOND, job });
    await until("typed", ({ fireCount }) => fireCount >= 1n);
    await server.types.setJobTypeEnabled({ name: "passing", enabled: false });
    const refused = await until("typed", ({ lastError }) => lastError !== "");
    expect(refused.lastError).toMatch(/^JOB_TYPE_DISABLED: /);
    expect(refused.paused).toBe(false);
    await server.types.setJobTypeEnabled({ name: "passing", enabled: true });
    await until("typed", ({ lastError }) => lastError === "");
    await server.schedules.deleteSchedule({ scheduleId: "typed" });
    const unknown = create("x", { job: { work: { case: "type" as const, value: "unknown" } } });
    expect(await refusalOf(unknown)).toMatchObject({ reason: "JOB_TYPE_NOT_FOUND" });
  });

  it("a trigger submits a job at once, also while it is paused, and says what refuses it", async () => {
    const job = { ...work, concurrencyKey: "two", concurrencyPolicy: 2 };
    await create("by-hand", { job });
    await server.schedules.pauseSchedule({ scheduleId: "by-hand" });
    const triggered = required(
      (await server.schedules.triggerSchedule({ scheduleId: "by-hand" })).job,
    );
    expect(triggered).toMatchObject({ scheduleId: "by-hand", creatorId: server.admin.userId });
    expect(await read("by-hand")).toMatchObject({ lastJobId: triggered.id, fireCount: 1n });
    const again = server.schedules.triggerSchedule({ scheduleId: "by-hand" });
    expect(await refusalOf(again)).toMatchObject({ reason: "JOB_CONFLICT" });
  });

  it("an update replaces the spec, unless somebody was faster", async () => {
    await create("moving", { catchUp: CatchUpPolicy.SKIP });
    const spec = { cron: "0 5 * * *", timeZone: "UTC", job: { ...work, name: "new" } };
    const scheduleId = "moving";
    const { schedule } = await server.schedules.updateSchedule({ scheduleId, spec, version: 1n });
    expect(schedule).toMatchObject({
      version: 2n,
      spec: { cron: "0 5 * * *", catchUp: CatchUpPolicy.ONCE, job: { name: "new" } },
    });
    const late = server.schedules.updateSchedule({ scheduleId, spec, version: 1n });
    expect(await refusalOf(late)).toMatchObject({ reason: "SCHEDULE_CHANGED" });
    await server.schedules.updateSchedule({ scheduleId, spec });
    expect(await read("moving")).toMatchObject({ version: 3n });
  });

  it("is checked as a job would be, with the path of each fault, and made only if it is sound", async () => {
    const bad = await refusalOf(
      server.schedules.createSchedule({
        scheduleId: "no id",
        spec: {
          cron: "61 * * * *",
          timeZone: "UTC",
          catchUp: 9 as CatchUpPolicy,
          job: { runAt: timestampFromMs(1) },
        },
      }),
    );
    expect(bad).toMatchObject({
      reason: "INVALID_ARGUMENT",
      fields: ["schedule_id", "spec.cron", "spec.catch_up", "spec.job.run_at"],
    });
    const zone = create("zone", { timeZone: "Mars/Olympus" });
    expect(await refusalOf(zone)).toMatchObject({ fields: ["spec.time_zone"] });
    const job = create("job", { job: { ...work, priority: 1_000 } });
    expect(await refusalOf(job)).toMatchObject({ fields: ["spec.job.priority"] });
    const nobody = create("nobody", { job: { ...work, runAs: "nobody" } });
    expect(await refusalOf(nobody)).toMatchObject({ fields: ["spec.job.run_as"] });
    const input = { kind: { case: "stringValue" as const, value: "x".repeat(600_000) } };
    const long = create("long", { job: { ...work, input } });
    expect(await refusalOf(long)).toMatchObject({ fields: ["spec.job"] });
    const { schedule } = await server.schedules.createSchedule({
      scheduleId: "only-looked-at",
      spec: { cron: "@daily", job: work },
      validateOnly: true,
    });
    expect(schedule?.nextTimes).toHaveLength(5);
    expect(await refusalOf(read("only-looked-at"))).toMatchObject({ reason: "SCHEDULE_NOT_FOUND" });
    await create("taken", {});
    expect(await refusalOf(create("taken", {}))).toMatchObject({
      reason: "SCHEDULE_ALREADY_EXISTS",
    });
  });

  it("is seen by whoever made it, by the user it acts for, and by admins", async () => {
    const { organizationId } = server.admin;
    const [acting, other] = [
      await server.addUser(organizationId, ["jobs:create", "jobs:view"]),
      await server.addUser(organizationId, ["jobs:create", "jobs:view"]),
    ];
    const stranger = await server.addUser(await server.addOrganization(), ["admin"]);
    await create("for-acting", { job: { ...work, runAs: acting.userId } });
    const asked = { scheduleId: "for-acting" };
    const seen = await server.schedulesOf(acting).getSchedule(asked);
    expect(seen.schedule).toMatchObject({ runAs: acting.userId, creatorId: server.admin.userId });
    const listed = await server.schedulesOf(acting).listSchedules({});
    expect(listed.schedules.map(({ id }) => id)).toEqual(["for-acting"]);
    const absent = await refusalOf(server.schedules.getSchedule({ scheduleId: "none" }));
    for (const user of [other, stranger]) {
      const schedules = server.schedulesOf(user);
      const refusals = await Promise.all(
        [
          schedules.getSchedule(asked),
          schedules.updateSchedule({ ...asked, spec: { cron: NEVER_SOON, job: work } }),
          schedules.pauseSchedule(asked),
          schedules.resumeSchedule(asked),
          schedules.triggerSchedule(asked),
          schedules.deleteSchedule(asked),
        ].map(refusalOf),
      );
      for (const refusal of refusals) {
        expect(refusal).toEqual({ ...absent, metadata: { schedule_id: "for-acting" } });
      }
      expect((await schedules.listSchedules({})).schedules).toEqual([]);
    }
  });

  it("who may not act for others makes no schedule that does, and takes none over", async () => {
    const { organizationId } = server.admin;
    const acting = await server.addUser(organizationId, ["jobs:create", "jobs:view"]);
    const forAdmin = create("over", { job: { ...work, runAs: server.admin.userId } }, member);
    expect(await refusalOf(forAdmin)).toMatchObject({ reason: "PERMISSION_DENIED" });
    await create("lent", { job: { ...work, runAs: acting.userId } });
    const spec = { cron: NEVER_SOON, job: work };
    const taken = server.schedulesOf(acting).updateSchedule({ scheduleId: "lent", spec });
    expect(await refusalOf(taken)).toMatchObject({ reason: "PERMISSION_DENIED" });
    const own = { ...spec, job: { ...work, runAs: acting.userId } };
    await server.schedulesOf(acting).updateSchedule({ scheduleId: "lent", spec: own });
  });

  it.concurrent("pauses itself, and says why, when its user may not submit any more", async () => {
    const leaving = await server.addUser(server.admin.organizationId, ["jobs:create"]);
    await create("orphan", { cron: EVERY_SECOND }, leaving);
    await until("orphan", ({ fireCount }) => fireCount >= 1n);
    const { organizationId, userId } = leaving;
    const disabled = (user: UserRow): UserRow => ({ ...user, disabledAt: 1 });
    await server.store.identity.updateUser(organizationId, userId, disabled);
    const paused = await until("orphan", (schedule) => schedule.paused);
    expect(paused.pauseReason).toMatch(/who made it.* is disabled/);
  });

  it("lists by id, in pages", async () => {
    const pager = await server.addUser(server.admin.organizationId, ["jobs:create", "jobs:view"]);
    for (const id of ["page-c", "page-a", "page-b"]) await create(id, {}, pager);
    const schedules = server.schedulesOf(pager);
    const first = await schedules.listSchedules({ pageSize: 2 });
    expect(first.schedules.map(({ id }) => id)).toEqual(["page-a", "page-b"]);
    const second = await schedules.listSchedules({ pageToken: first.nextPageToken });
    expect(second).toMatchObject({ schedules: [{ id: "page-c" }], nextPageToken: "" });
    const forged = schedules.listSchedules({ pageToken: "x" });
    expect(await refusalOf(forged)).toMatchObject({ fields: ["page_token"] });
  });
});
