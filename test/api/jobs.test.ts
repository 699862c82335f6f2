import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobState, type JobSpecSchema } from "../../src/gen/millrace/v1/job_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

type Spec = MessageInitShape<typeof JobSpecSchema>;

const script: Spec["work"] = { case: "script", value: { source: "export default () => 1" } };
const seconds = (value: number) => ({ seconds: BigInt(value) });

describe.each(ENGINES)("jobs through the public API on %s", (engine) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServerOn(engine);
  });
  afterAll(async () => {
    await server.stop();
  });

  /** A type of its own, so that tests do not take each other's work. */
  const aSpec = (facts: Spec = {}): Spec => ({ work: { case: "type", value: "idle" }, ...facts });
  /** A runner, and work that no other can take. */
  const aRunner = async (): Promise<{ readonly runner: HandRunner; readonly spec: Spec }> => {
    const type = `t-${systemRandom.uuid()}`;
    await server.putHandlers([type]);
    const runner = createHandRunner(server, { capabilities: [`handler:${type}`] });
    return { runner, spec: { work: { case: "type", value: type } } };
  };
  const submit = async (spec: Spec = aSpec(), more = {}) => {
    const { job } = await server.jobs.submitJob({ spec, ...more });
    if (job === undefined) throw new Error("no job");
    return job;
  };

  it("answers a submission at once with the job, and finds it again", async () => {
    const job = await submit(aSpec({ name: "first", labels: { a: "1" }, priority: 7 }));
    expect(job).toMatchObject({
      state: JobState.QUEUED,
      canCancel: true,
      canRetry: false,
      attempt: 0,
    });
    const { job: found } = await server.jobs.getJob({ jobId: job.id });
    expect(found).toMatchObject({
      name: "first",
      labels: { a: "1" },
      priority: 7,
      creatorId: server.admin.userId,
    });
    expect(found?.pollAfter).toBeDefined();
  });

  it("shows what a job was given, and takes no input that is nested too deep to be shown", async () => {
    const nested = (levels: number): Spec["input"] =>
      fromJson(ValueSchema, JSON.parse("[".repeat(levels) + "]".repeat(levels)) as JsonValue);
    const { id: jobId } = await submit(aSpec({ input: nested(30) ?? {} }));
    expect((await server.jobs.getJobInput({ jobId })).input).toEqual(nested(30));
    const deep = submit(aSpec({ input: nested(31) ?? {} }));
    expect(await refusalOf(deep)).toMatchObject({ fields: ["spec.input"] });
    const { id: without } = await submit();
    expect((await server.jobs.getJobInput({ jobId: without })).input?.kind.case).toBe("nullValue");
  });

  it("checks without creating with validate_only", async () => {
    const jobId = systemRandom.uuid();
    const answer = await server.jobs.submitJob({ spec: aSpec(), jobId, validateOnly: true });
    expect(answer).toMatchObject({ created: false });
    expect(answer.job).toBeUndefined();
    expect(await refusalOf(server.jobs.getJob({ jobId }))).toMatchObject({
      reason: "JOB_NOT_FOUND",
    });
  });

  it("takes a submission with the same request id once", async () => {
    const requestId = systemRandom.uuid();
    const first = await server.jobs.submitJob({ spec: aSpec(), requestId });
    const again = await server.jobs.submitJob({ spec: aSpec(), requestId });
    expect(again).toMatchObject({ created: false, job: { id: first.job?.id } });
    expect(
      await refusalOf(server.jobs.submitJob({ spec: aSpec({ priority: 1 }), requestId })),
    ).toMatchObject({
      code: "AlreadyExists",
      reason: "REQUEST_ID_REUSED",
    });
  });

  it("refuses a job id that is taken", async () => {
    const jobId = systemRandom.uuid();
    expect((await submit(aSpec(), { jobId })).id).toBe(jobId);
    expect(await refusalOf(submit(aSpec(), { jobId }))).toMatchObject({
      reason: "JOB_ALREADY_EXISTS",
    });
  });

  it("gives every item of a batch an outcome of its own", async () => {
    const { outcomes } = await server.jobs.submitJobs({
      requests: [
        { spec: aSpec() },
        { spec: aSpec({ priority: 1_000 }) },
        { spec: aSpec(), validateOnly: true },
      ],
    });
    expect(outcomes.map(({ outcome }) => outcome.case)).toEqual([
      "submitted",
      "error",
      "submitted",
    ]);
    const [first, second, third] = outcomes;
    expect(first?.outcome.value).toMatchObject({ created: true });
    expect(second?.outcome.value).toMatchObject({
      message: expect.stringContaining("requests[1].spec.priority"),
    });
    expect(third?.outcome.value).toMatchObject({ created: false });
  });

  it("pages through a list without being moved by what arrives meanwhile", async () => {
    const labels = { list: systemRandom.uuid() };
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.unshift((await submit(aSpec({ labels }))).id);
    const filter = { labels };
    const first = await server.jobs.listJobs({ filter, pageSize: 2, includeTotal: true });
    await submit(aSpec({ labels }));
    const second = await server.jobs.listJobs({
      filter,
      pageSize: 2,
      pageToken: first.nextPageToken,
    });
    const third = await server.jobs.listJobs({
      filter,
      pageSize: 2,
      pageToken: second.nextPageToken,
    });
    const seen = [first, second, third].flatMap(({ jobs }) => jobs.map(({ id }) => id));
    expect(seen).toEqual(ids);
    expect(first.total).toBe(5n);
    expect(third.nextPageToken).toBe("");
    const other = server.jobs.listJobs({
      filter: { labels: { other: "x" } },
      pageToken: first.nextPageToken,
    });
    expect(await refusalOf(other)).toMatchObject({
      reason: "INVALID_ARGUMENT",
      fields: ["page_token"],
    });
  });

  it("runs a job synchronously and answers with its result", async () => {
    const runner = createHandRunner(server);
    const running = server.jobs.runJob({ submit: { spec: { work: script } } });
    await runner.succeed(await runner.take(), '{"a":[1,"x",null]}');
    const { job, result, created } = await running;
    expect(job).toMatchObject({ state: JobState.SUCCEEDED, progress: { fraction: 1 } });
    expect(job?.pollAfter).toBeUndefined();
    expect(created).toBe(true);
    if (result === undefined) throw new Error("no result");
    expect(toJson(ValueSchema, result)).toEqual({ a: [1, "x", null] });
    const stored = await server.jobs.getJobResult({ jobId: job?.id ?? "" });
    expect(stored.result).toEqual(result);
  });

  it("answers a synchronous run with the unfinished job before the caller's deadline", async () => {
    const { job, result } = await server.jobs.runJob(
      { submit: { spec: aSpec() } },
      { timeoutMs: 1_000 },
    );
    expect(job).toMatchObject({ state: JobState.QUEUED });
    expect(result).toBeUndefined();
    const short = await server.jobs.runJob({
      submit: { spec: aSpec() },
      maxWait: { nanos: 1_000_000 },
    });
    expect(short.job?.state).toBe(JobState.QUEUED);
  });

  it("has a result only once it has succeeded", async () => {
    const { id: jobId } = await submit();
    expect(await refusalOf(server.jobs.getJobResult({ jobId }))).toEqual({
      code: "FailedPrecondition",
      reason: "JOB_NOT_COMPLETED",
      metadata: { job_id: jobId, state: "QUEUED" },
      fields: [],
      retries: true,
    });
  });

  it("waits for the end of a job, or for any change since a revision", async () => {
    const { runner, spec } = await aRunner();
    const { id: jobId } = await submit(spec);
    const first = await server.jobs.waitJob({ jobId, maxWait: { nanos: 1_000_000 } });
    expect(first.job?.state).toBe(JobState.QUEUED);
    const change = server.jobs.waitJob({ jobId, revision: first.revision });
    const end = server.jobs.waitJob({ jobId });
    const assignment = await runner.take();
    expect((await change).job?.state).toBe(JobState.RUNNING);
    await runner.succeed(assignment);
    expect((await end).job?.state).toBe(JobState.SUCCEEDED);
  });

  it("cancels what has not ended, once, with the reason", async () => {
    const { id: jobId } = await submit();
    const { job } = await server.jobs.cancelJob({ jobId, reason: "changed my mind" });
    expect(job).toMatchObject({
      state: JobState.CANCELLED,
      cancelReason: "changed my mind",
      canCancel: false,
    });
    expect(await refusalOf(server.jobs.cancelJob({ jobId }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "JOB_NOT_CANCELLABLE",
    });
  });

  it("gives a failed job another attempt by hand, and keeps every attempt", async () => {
    const { runner, spec } = await aRunner();
    const { id: jobId } = await submit(spec);
    await runner.fail(await runner.take(), "no luck");
    const { job: failed } = await server.jobs.getJob({ jobId });
    expect(failed).toMatchObject({
      state: JobState.FAILED,
      canRetry: true,
      error: { message: "no luck" },
    });
    const { job: again } = await server.jobs.retryJob({ jobId });
    expect(again?.retryCount).toBe(1);
    const assignment = await runner.take();
    expect((await server.jobs.listJobAttempts({ jobId })).attempts).toMatchObject([
      { attempt: 1, error: { code: "script.threw" } },
      { attempt: 2, runnerId: runner.id },
    ]);
    await runner.succeed(assignment);
    expect(await refusalOf(server.jobs.retryJob({ jobId }))).toMatchObject({
      reason: "JOB_NOT_RETRYABLE",
    });
  });

  it("lists output in order, by offset and limit", async () => {
    const { runner, spec } = await aRunner();
    const { id: jobId } = await submit(spec);
    const assignment = await runner.take();
    await runner.print(assignment, "a", "b", "c");
    await runner.print(assignment, "d");
    await runner.succeed(assignment);
    const all = await server.jobs.listJobOutput({ jobId });
    expect(all.rows.map(({ seq, text }) => `${seq}${text}`)).toEqual(["0a", "1b", "2c", "3d"]);
    expect(all.total).toBe(4n);
    const part = await server.jobs.listJobOutput({ jobId, offset: 1n, limit: 2 });
    expect(part.rows.map(({ text }) => text)).toEqual(["b", "c"]);
  });

  it("refuses a second job of a key that must not wait", async () => {
    const concurrencyKey = systemRandom.uuid();
    await submit(aSpec({ concurrencyKey }));
    expect(await refusalOf(submit(aSpec({ concurrencyKey, concurrencyPolicy: 2 })))).toMatchObject({
      code: "Aborted",
      reason: "JOB_CONFLICT",
      retries: true,
    });
  });

  it("holds a job back until its run_at", async () => {
    const now = Math.floor(Date.now() / 1_000);
    expect(await submit(aSpec({ runAt: seconds(now + 3_600) }))).toMatchObject({
      state: JobState.SCHEDULED,
      pollAfter: { seconds: 60n },
    });
  });

  it("refuses what a full queue has no room for, and says when to come again", async () => {
    const organizationId = await server.addOrganization({ maxQueued: 1 });
    const jobs = server.jobsOf(await server.addUser(organizationId, MEMBER_PERMISSIONS));
    // Later: runners of other tests may have a slot for it now.
    const spec = aSpec({ work: script, runAt: seconds(Math.floor(Date.now() / 1_000) + 3_600) });
    await jobs.submitJob({ spec });
    expect(await refusalOf(jobs.submitJob({ spec }))).toMatchObject({
      code: "ResourceExhausted",
      reason: "QUEUE_FULL",
      retries: true,
    });
  });
});
