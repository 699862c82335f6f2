import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { UserAttributeKindSchema, UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { ABILITIES, MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const type = (value: string) => ({ work: { case: "type" as const, value } });

describe.each(ENGINES)("the deferred action on %s", (engine) => {
  let server: TestServer;
  /** Submits for others. */
  let clerk: TestUser;
  /** His actions are deferred. */
  let ann: TestUser;

  const users = (token = server.admin.token) => server.clientOf(UserService, token);
  const set = async (user: TestUser, name: string, value: string) =>
    await users().setUserAttribute({ userId: user.userId, name, value });
  const defer = async (user: TestUser, value = "true") => {
    await set(user, "deferred-action", value);
  };
  const deferredUser = async (): Promise<TestUser> => {
    const user = await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS);
    await defer(user);
    return user;
  };
  const release = async (user: TestUser, jobId: string) => await set(user, "release-job", jobId);
  const attributesOf = async ({ userId }: TestUser) => {
    const { attributes } = await users().listUserAttributes({ userId });
    return attributes.map(({ name, value, kind }) => [
      name,
      value,
      UserAttributeKindSchema.value[kind]?.localName,
    ]);
  };
  const submitFor = async (user: TestUser, facts = {}, request = {}) => {
    const spec = { ...type("idle"), runAs: user.userId, ...facts };
    const { job } = await server.jobsOf(clerk).submitJob({ spec, ...request });
    if (job === undefined) throw new Error("no job");
    return job;
  };
  const stateOf = async (jobId: string): Promise<JobState | undefined> =>
    (await server.jobs.getJob({ jobId })).job?.state;

  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: ["idle", "payout"] });
    clerk = await server.addUser(server.admin.organizationId, ABILITIES);
    ann = await deferredUser();
  });
  afterAll(async () => {
    await server.stop();
  });

  it("holds the job, gives it to no runner, and lets it go by the attribute, which is gone then", async () => {
    const runner = createHandRunner(server, { capabilities: ["handler:payout"] });
    const held = await submitFor(ann, type("payout"));
    expect(held).toMatchObject({
      state: JobState.HELD,
      creatorId: clerk.userId,
      runAs: ann.userId,
    });
    const other = await server.jobsOf(clerk).submitJob({ spec: type("payout") });
    const first = await runner.take();
    expect(first.attempt?.jobId).toBe(other.job?.id);
    await runner.succeed(first);
    expect(await stateOf(held.id)).toBe(JobState.HELD);

    expect(await release(ann, held.id)).toMatchObject({ releasedJobId: held.id });
    expect(await attributesOf(ann)).toEqual([["deferred-action", "true", "STATIC"]]);
    const second = await runner.take();
    expect(second.attempt?.jobId).toBe(held.id);
    await runner.succeed(second);
    expect(await stateOf(held.id)).toBe(JobState.SUCCEEDED);
    expect(await refusalOf(release(ann, held.id))).toMatchObject({
      code: "FailedPrecondition",
      reason: "JOB_NOT_HELD",
      metadata: { state: "SUCCEEDED" },
    });
  });

  it("takes the release before the job", async () => {
    const jobId = systemRandom.uuid();
    expect(await release(ann, jobId)).toMatchObject({ releasedJobId: "" });
    expect(await attributesOf(ann)).toContainEqual(["release-job", jobId, "DYNAMIC"]);
    expect((await submitFor(ann, {}, { jobId })).state).toBe(JobState.QUEUED);
    expect(await attributesOf(ann)).toEqual([["deferred-action", "true", "STATIC"]]);
    await server.jobs.cancelJob({ jobId });
  });

  it("takes both at the same time", async () => {
    const ids = Array.from({ length: 20 }, () => systemRandom.uuid());
    await Promise.all(
      ids.flatMap((jobId, index) => {
        const both = [
          async () => await submitFor(ann, {}, { jobId }),
          async () => await release(ann, jobId),
        ];
        return (index % 2 === 0 ? both : both.toReversed()).map(async (step) => await step());
      }),
    );
    const states = await Promise.all(ids.map(stateOf));
    expect(new Set(states)).toEqual(new Set([JobState.QUEUED]));
    expect(await attributesOf(ann)).toEqual([["deferred-action", "true", "STATIC"]]);
    await Promise.all(ids.map(async (jobId) => await server.jobs.cancelJob({ jobId })));
  });

  it("holds the jobs that a user submits for himself, in every way to submit", async () => {
    const user = await deferredUser();
    const jobs = server.jobsOf(user);
    const spec = type("idle");
    const one = await jobs.submitJob({ spec });
    const { outcomes } = await jobs.submitJobs({ requests: [{ spec }] });
    const run = await jobs.runJob({ submit: { spec }, maxWait: durationFromMs(0) });
    const batch = outcomes[0]?.outcome;
    const states = [
      one.job?.state,
      batch?.case === "submitted" ? batch.value.job?.state : undefined,
      run.job?.state,
    ];
    expect(states).toEqual([JobState.HELD, JobState.HELD, JobState.HELD]);
  });

  it("does not hold what acts for others; and holds nothing once it is off, but keeps what is held", async () => {
    const user = await deferredUser();
    const held = await submitFor(user);
    const forClerk = await server.jobsOf(clerk).submitJob({ spec: type("idle") });
    expect(forClerk.job?.state).toBe(JobState.QUEUED);
    await defer(user, "false");
    expect(await attributesOf(user)).toEqual([["deferred-action", "false", "STATIC"]]);
    expect((await submitFor(user)).state).toBe(JobState.QUEUED);
    expect(await stateOf(held.id)).toBe(JobState.HELD);
    await defer(user);
    const { userId } = user;
    const off = { userId, name: "deferred-action", value: "true" };
    expect(await users().removeUserAttribute(off)).toMatchObject({ removed: true });
    expect(await users().removeUserAttribute(off)).toMatchObject({ removed: false });
    expect((await submitFor(user)).state).toBe(JobState.QUEUED);
  });

  it("a job that was submitted with a run_at waits for it after its release", async () => {
    const runAt = timestampFromMs(systemClock.now() + 3_600_000);
    const held = await submitFor(ann, { runAt });
    expect(held).toMatchObject({ state: JobState.HELD, runAt });
    await release(ann, held.id);
    expect(await stateOf(held.id)).toBe(JobState.SCHEDULED);
  });

  it("a held job fails at its total timeout, which no retry undoes, and can be cancelled", async () => {
    const late = await submitFor(ann, { totalTimeout: durationFromMs(100) });
    const ended = await server.jobs.waitJob({ jobId: late.id });
    expect(ended.job).toMatchObject({ state: JobState.FAILED, error: { code: "timeout.total" } });
    expect(await refusalOf(server.jobs.retryJob({ jobId: late.id }))).toMatchObject({
      reason: "JOB_NOT_RETRYABLE",
    });
    const { id } = await submitFor(ann);
    const { job } = await server.jobsOf(clerk).cancelJob({ jobId: id });
    expect(job?.state).toBe(JobState.CANCELLED);
    expect(await refusalOf(release(ann, id))).toMatchObject({ reason: "JOB_NOT_HELD" });
  });

  it("the release of another user, and of another organization's job of the same id, releases nothing", async () => {
    const held = await submitFor(ann);
    expect(await refusalOf(release(clerk, held.id))).toMatchObject({ reason: "JOB_NOT_HELD" });
    const stranger = await server.addUser(await server.addOrganization(), ["admin"]);
    const theirs = users(stranger.token);
    const { userId } = stranger;
    await theirs.setUserAttribute({ userId, name: "deferred-action", value: "true" });
    const kept = await theirs.setUserAttribute({ userId, name: "release-job", value: held.id });
    expect(kept.releasedJobId).toBe("");
    expect(await stateOf(held.id)).toBe(JobState.HELD);
    await release(ann, held.id);
    await server.putHandlers(["idle"], stranger);
    const twin = { spec: type("idle"), jobId: held.id };
    expect((await server.jobsOf(stranger).submitJob(twin)).job?.state).toBe(JobState.QUEUED);
    expect((await theirs.listUserAttributes({ userId })).attributes).toHaveLength(1);
  });

  it("nothing is released for a user who is disabled, until he is enabled again", async () => {
    const user = await deferredUser();
    const { userId } = user;
    const held = await submitFor(user);
    await users().updateUser({ userId, disabled: true });
    expect(await refusalOf(release(user, held.id))).toMatchObject({ fields: ["user_id"] });
    expect(await stateOf(held.id)).toBe(JobState.HELD);
    await users().updateUser({ userId, disabled: false });
    expect(await release(user, held.id)).toMatchObject({ releasedJobId: held.id });
  });

  it("a submission that is repeated after the release is the same job", async () => {
    const requestId = systemRandom.uuid();
    const held = await submitFor(ann, {}, { requestId });
    await release(ann, held.id);
    expect(await submitFor(ann, {}, { requestId })).toMatchObject({
      id: held.id,
      state: JobState.QUEUED,
    });
  });

  it("a watch sees the job leave HELD", async () => {
    const { id: jobId } = await submitFor(ann);
    const stop = new AbortController();
    const states: (JobState | undefined)[] = [];
    for await (const { job } of server.jobsOf(clerk).watchJob({ jobId }, { signal: stop.signal })) {
      if (job === undefined) continue;
      states.push(job.state);
      if (job.state !== JobState.HELD) break;
      await release(ann, jobId);
    }
    stop.abort();
    expect(states).toEqual([JobState.HELD, JobState.QUEUED]);
  });

  it("the names that have a meaning take nothing else for their value", async () => {
    expect(await refusalOf(set(clerk, "deferred-action", "maybe"))).toMatchObject({
      fields: ["value"],
    });
    expect(await refusalOf(set(clerk, "release-job", "x"))).toMatchObject({ fields: ["value"] });
    expect(await refusalOf(set(clerk, "Team!", "x".repeat(201)))).toMatchObject({
      fields: ["name", "value"],
    });
    expect(await attributesOf(clerk)).toEqual([]);
  });
});
