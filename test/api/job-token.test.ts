import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ACCESS } from "../../src/api/access.ts";
import type { Assignment } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { refusalOf, streamRefusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const work = { case: "script" as const, value: { source: "export default () => 1" } };
const idle = { case: "type" as const, value: "idle" };

it("a job's own token is let in where nothing outlives its attempt, and nowhere else", () => {
  const open = Object.keys(ACCESS).filter((method) => ACCESS[method]?.kinds.includes("job"));
  expect(open.map((method) => method.replace(/^millrace\.(internal\.)?v1\./, ""))).toEqual([
    "JobService/SubmitJob",
    "JobService/SubmitJobs",
    "JobService/RunJob",
    "JobService/GetJob",
    "JobService/ListJobs",
    "JobService/GetJobResult",
    "JobService/CancelJob",
    "JobService/RetryJob",
    "JobService/ListJobOutput",
    "JobService/ListJobAttempts",
    "JobService/WaitJob",
    "TokenService/IntrospectToken",
    "JobTypeService/GetJobType",
    "JobTypeService/ListJobTypes",
    "JobTypeService/ListJobTypeVersions",
    "JobUpdateService/UpdateJob",
  ]);
});

describe.each(ENGINES)("a job's own token on %s", (engine) => {
  let server: TestServer;
  let runner: HandRunner;
  let ada: TestUser;

  beforeAll(async () => {
    server = await startServerOn(engine);
    runner = createHandRunner(server);
    ada = await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS);
  });
  afterAll(async () => {
    await server.stop();
  });

  /** A running attempt of a job that this user submitted, and what its token may do. */
  const running = async (user: TestUser, runAs = "") => {
    await server.jobsOf(user).submitJob({
      spec: { work, runAs, retryPolicy: { initialBackoff: {} } },
    });
    const assignment = await runner.take();
    return { assignment, jobs: server.jobsOf({ token: assignment.jobToken }) };
  };
  const jobIdOf = ({ attempt }: Assignment): string => attempt?.jobId ?? "";
  const unauthenticated = { reason: "UNAUTHENTICATED" };

  it("submits child jobs for its operational user, and waits for them", async () => {
    const { assignment, jobs } = await running(ada);
    expect(assignment.jobToken).toMatch(/^mrj_/);
    const { job: child } = await jobs.submitJob({ spec: { work: idle } });
    expect(child).toMatchObject({
      parentId: jobIdOf(assignment),
      creatorId: ada.userId,
      runAs: ada.userId,
    });
    const jobId = child?.id ?? "";
    expect((await jobs.waitJob({ jobId, maxWait: { nanos: 1 } })).job?.id).toBe(jobId);
    await runner.succeed(assignment);
  });

  it("is dead as soon as its attempt has ended", async () => {
    const { assignment, jobs } = await running(ada);
    await jobs.listJobs({});
    await runner.succeed(assignment);
    expect(await refusalOf(jobs.listJobs({}))).toMatchObject(unauthenticated);
  });

  it("is dead when another attempt of the same job runs; that one has its own", async () => {
    const { assignment, jobs } = await running(ada);
    await runner.fail(assignment, "once more", true);
    const second = await runner.take();
    expect(jobIdOf(second)).toBe(jobIdOf(assignment));
    expect(await refusalOf(jobs.listJobs({}))).toMatchObject(unauthenticated);
    const { jobs: seen } = await server.jobsOf({ token: second.jobToken }).listJobs({});
    expect(seen.length).toBeGreaterThan(0);
    await runner.succeed(second);
  });

  it("of an admin's job is no admin's: it sees what he made himself, and changes nobody", async () => {
    const { job: hidden } = await server.jobsOf(ada).submitJob({ spec: { work: idle } });
    const { assignment, jobs } = await running(server.admin);
    const found = jobs.getJob({ jobId: hidden?.id ?? "" });
    expect(await refusalOf(found)).toMatchObject({ reason: "JOB_NOT_FOUND" });
    const another = jobs.submitJob({ spec: { work: idle, runAs: ada.userId } });
    expect(await refusalOf(another)).toMatchObject({ metadata: { needs: "jobs:run-as" } });
    await runner.succeed(assignment);
  });

  it("opens no streams, which could outlive the attempt", async () => {
    const { assignment, jobs } = await running(ada);
    const denied = { reason: "PERMISSION_DENIED" };
    expect(await streamRefusalOf(jobs.watchJobs({}))).toMatchObject(denied);
    await runner.succeed(assignment);
  });

  it("may do no more than its operational user", async () => {
    const reader = await server.addUser(ada.organizationId, ["jobs:view"]);
    const boss = await server.addUser(ada.organizationId, [...MEMBER_PERMISSIONS, "jobs:run-as"]);
    const { assignment, jobs } = await running(boss, reader.userId);
    expect(assignment).toMatchObject({ creatorId: boss.userId, runAs: reader.userId });
    expect((await jobs.listJobs({})).jobs.map(({ id }) => id)).toEqual([jobIdOf(assignment)]);
    expect(await refusalOf(jobs.submitJob({ spec: { work: idle } }))).toMatchObject({
      metadata: { needs: "jobs:create" },
    });
    await runner.succeed(assignment);
  });
});
