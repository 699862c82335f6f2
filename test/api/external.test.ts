import { fromJson, toJson } from "@bufbuild/protobuf";
import { durationFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { work } from "../../examples/external-worker.ts";
import { AttemptOutcome, type Job, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { JobTypeService } from "../../src/gen/millrace/v1/job_type_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";
import { createMigrated } from "../support/templates.ts";

const seconds = (value: number) => ({ seconds: BigInt(value) });
const value = (json: string) => fromJson(ValueSchema, json);
const outside = { work: { case: "type" as const, value: "outside" } };
const done = { case: "result" as const, value: value("done") };

describe.each(ENGINES)("external jobs on %s", (engine) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServerOn(engine);
    await putType(server, server.admin.token);
  });
  afterAll(async () => {
    await server.stop();
  });

  const putType = async (
    { clientOf }: TestServer,
    token: string,
    name = "outside",
  ): Promise<void> => {
    await clientOf(JobTypeService, token).putJobType({
      spec: { name, work: { case: "external", value: {} } },
    });
  };
  const submit = async (facts: object): Promise<string> => {
    const { job } = await server.jobs.submitJob({ spec: { ...outside, ...facts } });
    return job?.id ?? "";
  };
  const get = async (jobId: string) => (await server.jobs.getJob({ jobId })).job;

  it("run at once without any runner, are watched for, and end by a report", async () => {
    const type = `t-${systemRandom.uuid()}`;
    await putType(server, server.admin.token, type);
    const stop = new AbortController();
    const filter = { type, states: [JobState.RUNNING] };
    const watch = server.jobs.watchJobs({ filter }, { signal: stop.signal });
    const seen = (async (): Promise<string> => {
      for await (const { jobs } of watch) {
        const [job] = jobs;
        if (job !== undefined) return job.id;
      }
      return "";
    })();
    const { job } = await server.jobs.submitJob({
      spec: { work: { case: "type", value: type }, input: value("a label") },
    });
    const jobId = await seen;
    stop.abort();
    expect(jobId).toBe(job?.id);
    expect(await get(jobId)).toMatchObject({ state: JobState.RUNNING, attempt: 1 });
    expect((await server.jobs.getJobInput({ jobId })).input?.kind.value).toBe("a label");
    const updates = server.updatesOf(server.admin.token);
    await updates.updateJob({ jobId, seq: 1n, progress: { fraction: 0.4 } });
    expect((await get(jobId))?.progress?.fraction).toBe(0.4);
    await updates.updateJob({ jobId, seq: 2n, ending: done });
    expect((await server.jobs.getJobResult({ jobId })).result?.kind.value).toBe("done");
    expect((await server.jobs.listJobAttempts({ jobId })).attempts).toMatchObject([
      { attempt: 1, runnerId: "external", outcome: AttemptOutcome.SUCCEEDED },
    ]);
  });

  it("are retried when nobody reports in time, and fail when the retries are used up", async () => {
    const { job } = await server.jobs.runJob({
      submit: {
        spec: {
          ...outside,
          attemptTimeout: durationFromMs(100),
          retryPolicy: { maxRetries: 1, initialBackoff: durationFromMs(1) },
        },
      },
    });
    expect(job).toMatchObject({
      state: JobState.FAILED,
      attempt: 2,
      error: { code: "timeout.wall", message: expect.stringContaining("100 ms") as string },
    });
    const { attempts } = await server.jobs.listJobAttempts({ jobId: job?.id ?? "" });
    expect(attempts.map(({ error }) => error?.code)).toEqual(["timeout.wall", "timeout.wall"]);
  });

  it("fail at their total timeout", async () => {
    const spec = { ...outside, totalTimeout: durationFromMs(100) };
    const { job } = await server.jobs.runJob({ submit: { spec } });
    expect(job).toMatchObject({ state: JobState.FAILED, error: { code: "timeout.total" } });
  });

  it("that are cancelled run on until the timeout of their attempt", async () => {
    const jobId = await submit({ attemptTimeout: durationFromMs(1_500) });
    const { job } = await server.jobs.cancelJob({ jobId, reason: "not needed" });
    expect(job).toMatchObject({ state: JobState.RUNNING, cancelRequested: true, canCancel: false });
    const ended = await server.jobs.waitJob({ jobId });
    expect(ended.job).toMatchObject({
      state: JobState.CANCELLED,
      cancelReason: "not needed",
      cancelledBy: server.admin.userId,
    });
  });

  it("of a long backlog all start when the limit allows, though one commit starts only so many", async () => {
    const organizationId = await server.addOrganization({ maxRunning: 0 });
    const { token } = await server.addUser(organizationId, ["admin"]);
    await putType(server, token);
    const jobs = server.jobsOf({ token });
    // The change of the limit and its line in the audit log are two turns: so many need more.
    const part = { requests: Array.from({ length: 850 }, () => ({ spec: outside })) };
    await Promise.all([jobs.submitJobs(part), jobs.submitJobs(part)]);
    const { outcomes } = await jobs.submitJobs(part);
    const last = outcomes.at(-1)?.outcome;
    const jobId = last?.case === "submitted" ? (last.value.job?.id ?? "") : "";
    const { revision } = await jobs.waitJob({ jobId, maxWait: durationFromMs(1) });
    const started = jobs.waitJob({ jobId, revision });
    await server
      .clientOf(OrganizationService, server.operatorToken)
      .updateOrganization({ organizationId, limits: { maxRunning: 10_000 } });
    expect((await started).job?.state).toBe(JobState.RUNNING);
    const filter = { states: [JobState.RUNNING] };
    expect((await jobs.listJobs({ filter, includeTotal: true })).total).toBe(2_550n);
  });

  it("count towards the limit of their organization, also after a restart of the server", async () => {
    const database = await createMigrated(engine);
    let running = await startTestServer({ databaseUrl: database.url });
    try {
      const organizationId = await running.addOrganization({ maxRunning: 1 });
      const { token } = await running.addUser(organizationId, ["admin"]);
      await putType(running, token);
      const spec = { ...outside, attemptTimeout: seconds(3_600) };
      const jobs = running.jobsOf({ token });
      const [first, second] = [await jobs.submitJob({ spec }), await jobs.submitJob({ spec })];
      const stateOf = async (job: Job | undefined) =>
        (await running.jobsOf({ token }).getJob({ jobId: job?.id ?? "" })).job;
      expect(await stateOf(first.job)).toMatchObject({ state: JobState.RUNNING });
      expect(await stateOf(second.job)).toMatchObject({ state: JobState.QUEUED });

      await running.stop();
      running = await startTestServer({ databaseUrl: database.url, organization: "globex" });
      expect(await stateOf(first.job)).toMatchObject({ state: JobState.RUNNING, attempt: 1 });
      expect(await stateOf(second.job)).toMatchObject({ state: JobState.QUEUED });
      const report = { jobId: first.job?.id ?? "", attempt: 1, seq: 1n, ending: done };
      await running.updatesOf(token).updateJob(report);
      expect(await stateOf(second.job)).toMatchObject({ state: JobState.RUNNING });
    } finally {
      await running.stop();
      await database.drop();
    }
  });

  it("are done by the example's worker, which goes on where an earlier one died", async () => {
    const [running, again] = [new AbortController(), new AbortController()];
    const options = {
      url: server.publicUrl,
      internalUrl: server.internalUrl,
      token: server.admin.token,
      type: "outside",
    };
    const begun = Promise.withResolvers<void>();
    const first = work({ ...options, signal: running.signal }, async (_, progress, signal) => {
      await progress(0.2);
      await progress(0.3, "about to die");
      begun.resolve();
      return await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("killed")), { once: true });
      });
    });
    const jobId = await submit({ attemptTimeout: seconds(3_600), input: value("x") });
    await begun.promise;
    running.abort();
    await first;
    const second = work({ ...options, signal: again.signal }, async (input, progress) => {
      await progress(0.9, "nearly");
      return { given: input };
    });
    expect((await server.jobs.waitJob({ jobId })).job).toMatchObject({
      state: JobState.SUCCEEDED,
      progress: { message: "nearly" },
      attempt: 1,
    });
    const { result } = await server.jobs.getJobResult({ jobId });
    expect(result && toJson(ValueSchema, result)).toEqual({ given: "x" });
    again.abort();
    await second;
  });
});
