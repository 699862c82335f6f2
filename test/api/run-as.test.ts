import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TokenService } from "../../src/gen/millrace/v1/token_service_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { ABILITIES, MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const work = { case: "type" as const, value: "idle" };

describe.each(ENGINES)("acting for another user on %s", (engine) => {
  let server: TestServer;
  let clerk: TestUser;
  let treasurer: TestUser;
  let member: TestUser;
  let stranger: TestUser;

  beforeAll(async () => {
    server = await startServerOn(engine);
    const { organizationId } = server.admin;
    clerk = await server.addUser(organizationId, ABILITIES);
    treasurer = await server.addUser(organizationId, ["jobs:view"]);
    member = await server.addUser(organizationId, MEMBER_PERMISSIONS);
    stranger = await server.addUser(await server.addOrganization(), ABILITIES);
  });
  afterAll(async () => {
    await server.stop();
  });

  const submit = async (by: TestUser, runAs: string) =>
    await server.jobsOf(by).submitJob({ spec: { work, runAs } });

  it("the creator and the operational user see the job, a colleague does not", async () => {
    const { job } = await submit(clerk, treasurer.userId);
    expect(job).toMatchObject({ creatorId: clerk.userId, runAs: treasurer.userId });
    const jobId = job?.id ?? "";
    for (const user of [clerk, treasurer]) {
      expect((await server.jobsOf(user).getJob({ jobId })).job?.id).toBe(jobId);
      const { jobs } = await server.jobsOf(user).listJobs({});
      expect(jobs.map(({ id }) => id)).toContain(jobId);
    }
    const hidden = server.jobsOf(member).getJob({ jobId });
    expect(await refusalOf(hidden)).toMatchObject({ reason: "JOB_NOT_FOUND" });
  });

  it("by triggering a schedule needs jobs:run-as, or to be that user", async () => {
    const scheduleId = "for-the-treasurer";
    const job = { work, runAs: member.userId };
    await server
      .schedulesOf(clerk)
      .createSchedule({ scheduleId, spec: { cron: "0 0 1 1 *", job } });
    const { secret } = await server
      .clientOf(TokenService, clerk.token)
      .createToken({ abilities: { names: ["jobs:create", "jobs:view"] } });
    const limited = server.schedulesOf({ token: secret }).triggerSchedule({ scheduleId });
    expect(await refusalOf(limited)).toMatchObject({ metadata: { needs: "jobs:run-as" } });
    for (const allowed of [clerk, member]) {
      const triggered = await server.schedulesOf(allowed).triggerSchedule({ scheduleId });
      expect(triggered.job?.runAs).toBe(member.userId);
    }
  });

  it("needs jobs:run-as: without it nothing is told of anybody", async () => {
    const wanted = [treasurer.userId, stranger.userId, systemRandom.uuid(), "ü".repeat(200)];
    const refusals = await Promise.all(
      wanted.map(async (runAs) => await refusalOf(submit(member, runAs))),
    );
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal))).size).toBe(1);
    expect(refusals[0]).toMatchObject({
      reason: "PERMISSION_DENIED",
      metadata: { needs: "jobs:run-as" },
    });
    // To act for oneself is no such thing.
    expect((await submit(member, member.userId)).job?.runAs).toBe(member.userId);
  });

  it("needs a user of the same organization, whoever is asked for", async () => {
    const users = server.clientOf(UserService, server.admin.token);
    const { userId } = await server.addUser(clerk.organizationId, []);
    await submit(clerk, userId);
    await users.updateUser({ userId, disabled: true });
    for (const runAs of [userId, stranger.userId, systemRandom.uuid(), "ü".repeat(200)]) {
      expect(await refusalOf(submit(clerk, runAs))).toMatchObject({
        reason: "INVALID_ARGUMENT",
        fields: ["spec.run_as"],
      });
    }
  });

  it("is checked for each submission of a batch, with its path", async () => {
    const { outcomes } = await server.jobsOf(clerk).submitJobs({
      requests: ["", treasurer.userId, stranger.userId].map((runAs) => ({ spec: { work, runAs } })),
    });
    expect(outcomes.map(({ outcome }) => outcome.case)).toEqual([
      "submitted",
      "submitted",
      "error",
    ]);
    expect(outcomes[2]?.outcome.value).toMatchObject({
      message: expect.stringMatching(/^requests\[2\]\.spec\.run_as must be a user/) as string,
    });
  });
});
