import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";

import { ACCESS } from "../../src/api/access.ts";
import type { Assignment } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { JobTypeService } from "../../src/gen/millrace/v1/job_type_service_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { ScheduleService } from "../../src/gen/millrace/v1/schedule_service_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { TokenService } from "../../src/gen/millrace/v1/token_service_pb.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { refusalOf, streamRefusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const work = { case: "script" as const, value: { source: "export default () => 1" } };
const idle = { case: "type" as const, value: "idle" };

const SERVICES = [JobService, TokenService, JobTypeService, ScheduleService, UserService];
const LASTING = [TokenService, JobTypeService, ScheduleService, UserService, OrganizationService];

it("a job's own token is let in nowhere where something would outlive its attempt", () => {
  const isOpen = ({ parent, name }: DescMethod): boolean =>
    ACCESS[`${parent.typeName}/${name}`]?.kinds.includes("job") === true;
  const streams = SERVICES.flatMap(({ methods }) => methods).filter(
    ({ methodKind }) => methodKind !== "unary",
  );
  expect(streams.length).toBeGreaterThan(1);
  expect(streams.filter(isOpen)).toEqual([]);
  const open = LASTING.flatMap(({ methods }) => methods).filter(isOpen);
  expect(open.map(({ idempotency }) => idempotency)).toEqual(
    open.map(() => MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS),
  );
  expect(JobService.methods.filter(isOpen).length).toBeGreaterThan(5);
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

  it("of a job without an operational user reports on that job, and does nothing else", async () => {
    const tokens = server.clientOf(TokenService, server.admin.token);
    const abilities = { names: ["jobs:create"] };
    const { secret } = await tokens.createToken({ forOrganization: true, abilities });
    const { assignment, jobs } = await running({ ...ada, token: secret });
    expect(assignment).toMatchObject({ creatorId: "", runAs: "" });
    for (const call of [jobs.listJobs({}), jobs.submitJob({ spec: { work: idle } })]) {
      expect(await refusalOf(call)).toMatchObject({ reason: "PERMISSION_DENIED" });
    }
    const updates = server.updatesOf(assignment.jobToken);
    const progress = { fraction: 0.5 };
    const { job } = await updates.updateJob({ jobId: jobIdOf(assignment), seq: 1n, progress });
    expect(job?.progress?.fraction).toBe(0.5);
    const { assignment: other } = await running(ada);
    const refused = updates.updateJob({ jobId: jobIdOf(other), seq: 1n, progress });
    expect(await refusalOf(refused)).toMatchObject({ reason: "JOB_NOT_FOUND" });
    await runner.succeed(assignment);
    await runner.succeed(other);
  });
});
